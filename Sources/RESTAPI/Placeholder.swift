enum RESTAPIPlaceholder {}
import Hummingbird
