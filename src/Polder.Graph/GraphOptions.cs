namespace Polder.Graph;

/// <summary>Limits of the graph: what strangers may cost. Every one is kept; what happens at it stands beside it.</summary>
public sealed record GraphOptions
{
    /// <summary>Largest frame in characters; larger ones are answered with an error and dropped. Default 4 Mi.</summary>
    public int FrameCharactersMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Messages in one frame; those behind are dropped. Default 20,000.</summary>
    public int BatchMessagesMax { get; init; } = 20_000;

    /// <summary>Longest soul or key in characters; a write with a longer one is refused. Default 2,048.</summary>
    public int NameCharactersMax { get; init; } = 2048;

    /// <summary>Longest text value in characters; a longer one is refused. Default 1 Mi.</summary>
    public int ValueCharactersMax { get; init; } = 1024 * 1024;

    /// <summary>Keys of one node; a write of a further key is refused. Default 1,000,000.</summary>
    public int NodeKeysMax { get; init; } = 1_000_000;

    /// <summary>Characters of one answer message; a longer answer is cut into slices. Default 512 Ki.</summary>
    public int AnswerCharactersMax { get; init; } = 512 * 1024;

    /// <summary>Characters of one whole answer, slices together; what is behind must be asked for by range. Default 16 Mi.</summary>
    public int ReadCharactersMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Souls that one connection may follow; those asked for first are forgotten first. Default 20,000.</summary>
    public int SubscriptionsMax { get; init; } = 20_000;

    /// <summary>How far ahead of the clock a state may lie; later ones are refused. Default 24 h.</summary>
    public TimeSpan Horizon { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Writes from the future that are held in all; further ones are refused. Default 10,000.</summary>
    public int HeldMax { get; init; } = 10_000;

    /// <summary>Of these, held for one connection. Default 1,000.</summary>
    public int HeldPerPeerMax { get; init; } = 1_000;

    /// <summary>Time that changes of one node are gathered before they are pushed. Default 9 ms, as gun.js.</summary>
    public TimeSpan PushDelay { get; init; } = TimeSpan.FromMilliseconds(9);

    /// <summary>How long message ids are remembered at least; at most twice as long. Default 9 s.</summary>
    public TimeSpan IdMemory { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Message ids remembered at most; the oldest are forgotten early. Default 200,000.</summary>
    public int IdsMax { get; init; } = 200_000;

    /// <summary>Time between the groups of three peers that a read is relayed to. Default 25 ms.</summary>
    public TimeSpan RelayTurn { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>Peers that one read is relayed to at most. Default 30.</summary>
    public int RelayPeersMax { get; init; } = 30;

    /// <summary>Questions back that one connection is asked in all: for what it asked, what it touched, what its answers link to. Default 5,000.</summary>
    public int AskBacksMax { get; init; } = 5_000;

    /// <summary>Whether stock clients are asked back, so that writes made offline are not lost. Default true.</summary>
    public bool AskBack { get; init; } = true;

    /// <summary>Topics of which older writes are kept as history, the latest hundred of each key. Default none.</summary>
    public IReadOnlyList<string> HistoryOf { get; init; } = [];

    /// <summary>Bytes of store in all, roughly; only the owner's own commands write beyond. Default 10 GiB.</summary>
    public long StoreBytesMax { get; init; } = 10L * 1024 * 1024 * 1024;

    /// <summary>Of these for what others bring; when it is full their oldest goes. Default half.</summary>
    public long GuestBytesMax { get => field > 0 ? field : StoreBytesMax / 2; init; }

    /// <summary>Characters that others may bring a day which one key has signed. Default 64 Mi.</summary>
    public long KeyCharactersPerDayMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Characters that one address from elsewhere, or one peer of our own kind, may write each second, after a burst of a hundred seconds' worth. Default 200,000.</summary>
    public int WrittenPerSecondMax { get; init; } = 200_000;

    /// <summary>Whether writes are acknowledged. False for a node that keeps nothing and leaves that to those who do. Default true.</summary>
    public bool Acknowledge { get; init; } = true;
}
