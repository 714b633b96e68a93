import Vocabulary

/// What an account owes. One stream `account-<id>` per account, of charges and refunds that balance.
///
/// Read it in this order: ``Billing/Command``, ``Billing/Event``, ``Billing/State``, then
/// ``Billing/decide(_:_:at:)``. How an order becomes money is in `Billing+Entry.swift`.
public enum Billing {}
