import ArgumentParser
import Hummingbird
@main struct Aisle: AsyncParsableCommand { mutating func run() async throws {} }
