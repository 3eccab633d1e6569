"""What the desk serves over HTTP: webhooks, health, metrics, and the public page on how to complain (4.2)."""
