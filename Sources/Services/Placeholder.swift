enum ServicesPlaceholder {}
