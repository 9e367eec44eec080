"""Third parties: what others wrote, behind as little of our own as it takes to listen to it."""
