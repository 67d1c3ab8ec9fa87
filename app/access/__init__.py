"""What a caller may do: roles, memberships, the actor of a request, and what an actor can see."""
