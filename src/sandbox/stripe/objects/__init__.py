"""The objects of the API: how each is made, changed and listed."""
