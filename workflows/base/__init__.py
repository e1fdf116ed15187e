"""What every verb stands on: context, records, approval, numbering, audit."""
