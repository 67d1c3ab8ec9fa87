"""Teams of participants and their memberships."""
