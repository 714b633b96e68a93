import Testing
@Test func t() {}
import HummingbirdTesting
