extension String {
  /// The text in quotation marks and cut to a length that fits into an error message.
  var quotedForMessage: String {
    count <= 64 ? "\"\(self)\"" : "\"\(prefix(64))…\""
  }
}
