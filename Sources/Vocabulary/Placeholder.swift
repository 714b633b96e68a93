enum VocabularyPlaceholder {}
