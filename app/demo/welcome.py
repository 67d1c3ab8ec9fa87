"""What whoever starts the demonstration reads first."""

from app.demo.barnet import ADMIN_EMAIL


def welcome(address: str, password: str, measure_id: object) -> str:
    """Where it is, who administers it, and one line that shows a series."""
    form = f"-d username={ADMIN_EMAIL} -d password={password}"
    login = f"curl -s {address}/api/v1/auth/token {form}"
    pick = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])'"
    series = f"{address}/api/v1/measures/{measure_id}/spc"
    return "\n".join(
        (
            "",
            "The Barnet demonstration: the people are fictional and the data synthetic.",
            f"  Docs page:      {address}/docs",
            f"  Administrator:  {ADMIN_EMAIL}",
            f"  Password:       {password}   (new at every start)",
            "  One SPC series:",
            f'    curl -s -H "Authorization: Bearer $({login} | {pick})" {series}',
            "",
            "Stop with Ctrl-C.",
        )
    )
