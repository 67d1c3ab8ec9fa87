"""Programmes: who commissions, who provides, when and where."""
