"""A mail server that delivers nowhere: every mail is kept, and shown on a page of its own."""
