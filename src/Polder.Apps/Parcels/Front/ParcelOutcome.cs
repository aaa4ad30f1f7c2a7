namespace Polder.Apps.Parcels;

/// <summary>How a transfer ended.</summary>
public enum ParcelResult
{
    /// <summary>Everything arrived and was checked.</summary>
    Complete,
    /// <summary>Somebody used another code: mistyped or guessed. The code is spent.</summary>
    WrongCode,
    /// <summary>The receiver said no.</summary>
    Refused,
    /// <summary>The other side gave up or broke its word; the sentence says how.</summary>
    PeerFailed,
    /// <summary>No meeting place answered, or the number is taken by two others.</summary>
    NoMeeting,
    /// <summary>No line for the bytes, or it broke.</summary>
    LineBroken,
    /// <summary>Our own disk, or an existing file in the way.</summary>
    LocalProblem,
}

/// <summary>How a transfer ended, for people.</summary>
/// <param name="Result">The kind of end.</param>
/// <param name="Sentence">What happened and what to do. May hold others' words: show escaped.</param>
public sealed record ParcelOutcome(ParcelResult Result, string Sentence)
{
    /// <summary>Bytes that travelled.</summary>
    public long Bytes { get; init; }
    /// <summary>How long they took, from the first to the confirmation.</summary>
    public TimeSpan Took { get; init; }
    /// <summary>Where it was written, on the receiver's side.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];
    /// <summary>By which way: "direct", "relay 127.0.0.1:4001", "native, LAN".</summary>
    public string Way { get; init; } = "";
    /// <summary>Whether it can be taken up again where it stopped (native way only).</summary>
    public bool Resumable { get; init; }
    /// <summary>Whether it ended well.</summary>
    public bool IsComplete => Result == ParcelResult.Complete;
}

/// <summary>Ends a transfer from inside with what is to be said.</summary>
/// <param name="result">The kind of end.</param>
/// <param name="sentence">What happened and what to do.</param>
public sealed class ParcelEndedException(ParcelResult result, string sentence) : Exception(sentence)
{
    /// <summary>The end.</summary>
    public ParcelOutcome Outcome { get; } = new(result, sentence);
}
