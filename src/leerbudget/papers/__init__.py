"""The papers of money: what organisations are asked to pay in and what came, VAT, and invoices of trainers.

Papers tell what the books say; nothing here moves money. An invoice that was issued is never changed.
No paper names a family, a child, a wish, a theme or a course.
"""
