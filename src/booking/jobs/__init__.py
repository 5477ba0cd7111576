"""What the booking package does behind the pages."""
