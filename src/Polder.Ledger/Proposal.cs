using Polder.Ledger.Blocks;

namespace Polder.Ledger;

/// <summary>An own proposal on its way to an agreement.</summary>
public sealed class Proposal
{
    // Completed through the loop, so that waiters never run inside a handler.
    private readonly TaskCompletionSource<HalfBlock> _answer = new();
    private readonly TaskCompletionSource<bool> _sent = new();

    internal Proposal(HalfBlock block) => Block = block;

    /// <summary>Our half.</summary>
    public HalfBlock Block { get; }

    /// <summary>Completes when our half is safe on disk and was sent for the first time, with true; with false when the disk failed.</summary>
    public Task<bool> Sent => _sent.Task;

    /// <summary>Completes with the other half. Wait with a limit: it may never come.</summary>
    public Task<HalfBlock> Answer => _answer.Task;

    internal int Sendings { get; set; }
    internal TimeSpan SendAt { get; set; }
    internal bool IsFlushed { get; set; }

    internal void Flushed(bool safe)
    {
        IsFlushed = safe;
        _sent.TrySetResult(safe);
    }

    internal void Answered(HalfBlock agreement) => _answer.TrySetResult(agreement);
    internal void GiveUp() => _answer.TrySetCanceled();
}
