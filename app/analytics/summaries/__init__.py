"""What the latest chart of each measure says, stored: nobody waits for thousands of charts."""
