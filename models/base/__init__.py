"""What every model is made of: entity, columns, kinds, money, errors."""
