"""What fills a slot: one module per slot. Knows no channel; imports heavy packages only inside constructors."""
