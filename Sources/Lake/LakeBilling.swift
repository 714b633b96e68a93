struct LakeBilling { var bills: [LakeBill] { [] }
  mutating func apply(_ record: LakeRecord) -> [String] { [] } }
