using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>One agreed record of help, as both signed it.</summary>
/// <param name="Contributor">Who helped.</param>
/// <param name="Consumer">Who was helped.</param>
/// <param name="Amount">How much.</param>
/// <param name="Proposer">Who proposed: one of the two.</param>
/// <param name="ProposalSequence">Number of the proposal in the proposer's chain.</param>
/// <param name="AgreementSequence">Number of the agreement in the other's chain.</param>
/// <param name="Timestamp">By the proposer's clock, milliseconds since 1970.</param>
public readonly record struct WorkRecord(
    PublicKey Contributor, PublicKey Consumer, long Amount, PublicKey Proposer, uint ProposalSequence, uint AgreementSequence, ulong Timestamp);

/// <summary>A record in bulk: peers by their number in one graph (<see cref="WorkGraphLoader.Number"/>), 24 bytes.</summary>
/// <param name="Contributor">Who helped.</param>
/// <param name="Consumer">Who was helped.</param>
/// <param name="Amount">How much.</param>
/// <param name="ProposalSequence">Number of the proposal in the proposer's chain.</param>
/// <param name="ProposedByConsumer">Whether the consumer proposed; else the contributor did.</param>
public readonly record struct NumberedRecord(int Contributor, int Consumer, long Amount, uint ProposalSequence, bool ProposedByConsumer);
