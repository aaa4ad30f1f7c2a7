using Polder.Runtime;

namespace Polder.Ledger.Dissemination;

/// <summary>What is remembered of one full node: how far its lists are known, and what it may still send.</summary>
internal sealed class PeerNews
{
    public uint Life { get; set; }
    public ulong Blocks { get; set; }
    public uint Proofs { get; set; }

    /// <summary>It was asked what is new, and has not answered.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Bytes of its pushes that are looked at.</summary>
    public TokenBucket Pushed;

    /// <summary>Proofs of it that are looked at.</summary>
    public TokenBucket ProofsSent;

    /// <summary>Questions of it that are answered.</summary>
    public TokenBucket Questions;
}
