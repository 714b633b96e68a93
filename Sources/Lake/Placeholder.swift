enum LakePlaceholder {}
