"""Logs in and reads the programmes with the generated Python client; its folder is the argument.

Started by `with_demo.py`, which sets ADDRESS, EMAIL and PASSWORD.
"""

import os
import sys

sys.path.insert(0, sys.argv[1])

from openqi_client import AuthenticatedClient, Client
from openqi_client.api.auth import log_in
from openqi_client.api.programmes import get_programme, list_programmes
from openqi_client.models import PasswordForm, Problem, ProgrammePage, ProgrammeRead, TokenRead

UNKNOWN = "00000000-0000-7000-8000-000000000000"

anonymous = Client(base_url=os.environ["ADDRESS"])
form = PasswordForm(username=os.environ["EMAIL"], password=os.environ["PASSWORD"])
token = log_in.sync(client=anonymous, body=form)
assert isinstance(token, TokenRead), token

client = AuthenticatedClient(base_url=os.environ["ADDRESS"], token=token.access_token)
page = list_programmes.sync(client=client, limit=1, with_total=True)
assert isinstance(page, ProgrammePage), page
assert page.total, page
assert page.items[0] == get_programme.sync(page.items[0].id, client=client)
assert isinstance(page.items[0], ProgrammeRead)

refusal = get_programme.sync(UNKNOWN, client=client)
assert isinstance(refusal, Problem), refusal
assert refusal.code == "not_found", refusal
sys.stdout.write(f"The Python client read {page.items[0].title!r}.\n")
