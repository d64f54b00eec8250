"""The lane beside a consumer's subscription, in which it takes up its own messages again."""
