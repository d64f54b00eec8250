"""The published contract, made from the code: JSON Schemas, the AsyncAPI document, the pages
that people read.
"""
