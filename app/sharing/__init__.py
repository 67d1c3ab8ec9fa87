"""Projects are released to audiences beyond their team, and come from other servers."""
