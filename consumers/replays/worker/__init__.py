"""The replay worker beside a consumer's subscription, which handles its messages again."""
