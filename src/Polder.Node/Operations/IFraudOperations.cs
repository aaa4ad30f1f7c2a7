namespace Polder.Node.Operations;

/// <summary>Proven frauds: looked at, taken elsewhere as files that anybody can check, and taken in. Part of <see cref="INodeOperations"/>.</summary>
public interface IFraudOperations
{
    /// <summary>Every proven fraud field by field, newest first, at most <paramref name="count"/>.</summary>
    Task<IReadOnlyList<FraudDetail>> ListAsync(int count = 100, CancellationToken cancellation = default);

    /// <summary>The proof against a peer as a file (docs/wire/fraud-proof.md).</summary>
    Task<FraudDocument> ExportAsync(string peer, CancellationToken cancellation = default);

    /// <summary>Checks a file; nothing is kept.</summary>
    Task<FraudCheckView> CheckAsync(byte[] file, CancellationToken cancellation = default);

    /// <summary>Checks a file and keeps what it proves; a file that proves nothing is refused with the reason.</summary>
    Task<FraudCheckView> ImportAsync(byte[] file, CancellationToken cancellation = default);
}

/// <summary>A proof of fraud as a file.</summary>
/// <param name="Culprit">Against whom.</param>
/// <param name="FileName">What it is best called.</param>
/// <param name="Content">The file.</param>
public sealed record FraudDocument(PeerName Culprit, string FileName, byte[] Content);

/// <summary>A fraud and its two blocks side by side.</summary>
/// <param name="Culprit">Who signed both.</param>
/// <param name="Kind">"double-sign" or "double-countersign".</param>
/// <param name="Words">What it means, in words.</param>
/// <param name="Fields">Field by field.</param>
/// <param name="FirstHash">Hash of the first block.</param>
/// <param name="SecondHash">Hash of the second.</param>
/// <param name="IsPortable">Whether everything is here that others need to check it.</param>
public sealed record FraudDetail(
    PeerName Culprit, string Kind, string Words, IReadOnlyList<FraudField> Fields, string FirstHash, string SecondHash, bool IsPortable);

/// <summary>One field of both blocks.</summary>
/// <param name="Name">"Number", "Counterparty", …</param>
/// <param name="First">In the first.</param>
/// <param name="Second">In the second.</param>
/// <param name="Differs">Whether they differ.</param>
public sealed record FraudField(string Name, string First, string Second, bool Differs);

/// <summary>What a file proves.</summary>
/// <param name="Proven">Whether it proves a fraud.</param>
/// <param name="Verdict">In words: what is proven, or why nothing is.</param>
/// <param name="Fraud">What the file says, where it can be read.</param>
/// <param name="Known">Whether this node knew of a fraud by that key before.</param>
public sealed record FraudCheckView(bool Proven, string Verdict, FraudDetail? Fraud, bool Known);
