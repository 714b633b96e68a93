enum BookingPlaceholder {}
