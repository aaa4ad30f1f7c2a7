using Polder.Identity;

namespace Polder.Apps.Bundles.Letters;

/// <summary>How far a letter of ours is.</summary>
public enum LetterStage : byte
{
    /// <summary>On this machine only.</summary>
    OnlyHere = 0,
    /// <summary>Others hold it, sealed, and hand it over when the receiver appears.</summary>
    WaitingWith = 1,
    /// <summary>The receiver has it on its disk, and proved that.</summary>
    Delivered = 2,
    /// <summary>The receiver says that its owner saw it.</summary>
    Seen = 3,
    /// <summary>Its time is over and nobody said that it arrived.</summary>
    Expired = 4,
    /// <summary>No such letter is known here (any more).</summary>
    Unknown = 5,
}

/// <summary>Somebody who holds a letter for us.</summary>
/// <param name="Key">Who.</param>
/// <param name="Name">What the owner calls it; null for a stranger.</param>
/// <param name="KnowsReceiver">Whether it said that the receiver is among its contacts, too: a common friend.</param>
/// <param name="Since">When it took the letter.</param>
public sealed record LetterCarrier(PublicKey Key, string? Name, bool KnowsReceiver, DateTimeOffset Since);

/// <summary>Where a letter of ours is, for people.</summary>
/// <param name="Stage">How far it is.</param>
/// <param name="Carriers">Who holds it; empty but for <see cref="LetterStage.WaitingWith"/>.</param>
public sealed record LetterState(LetterStage Stage, IReadOnlyList<LetterCarrier> Carriers)
{
    /// <summary>When it was last written into a bundle, to be carried by hand; null for never.</summary>
    public DateTimeOffset? ExportedAt { get; init; }

    internal static LetterState Unknown { get; } = new(LetterStage.Unknown, []);

    /// <summary>The names of those who hold it: friends as the owner calls them, common friends first; strangers not at all.</summary>
    public IReadOnlyList<string> Names =>
        [.. Carriers.Where(static carrier => carrier.Name is not null).OrderByDescending(static carrier => carrier.KnowsReceiver).Select(static carrier => carrier.Name!)];

    /// <summary>One sentence, such as "Waiting with Carol, a common friend".</summary>
    public override string ToString() => LetterWords.Say(this);
}
