"""What routes ask of identity: the hasher of passwords, and where a request comes from."""

from typing import Annotated

from fastapi import Depends, Request

from app.identity.passwords import Passwords
from app.identity.queries import address_key


async def passwords(request: Request) -> Passwords:
    """The hasher of the application."""
    hasher: Passwords = request.app.state.passwords
    return hasher


async def client_address(request: Request) -> str:
    """Against what a failed login counts, beside the account."""
    return address_key(request.client.host if request.client else "")


CurrentPasswords = Annotated[Passwords, Depends(passwords)]
ClientAddress = Annotated[str, Depends(client_address)]
