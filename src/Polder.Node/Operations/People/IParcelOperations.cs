namespace Polder.Node.Operations;

/// <summary>
/// Files sent by a spoken code, from a running node: what it sends and receives, and what a program beside it uses of its DHT and sessions.
/// Refusals are <see cref="OperationRefusedException"/>.
/// </summary>
public interface IParcelOperations
{
    /// <summary>Everything under way, what can be gone on with, and what ended lately; newest first.</summary>
    Task<IReadOnlyList<ParcelView>> ListAsync(CancellationToken cancellation = default);

    /// <summary>Sends files and folders of this machine. The code is drawn, or the given one.</summary>
    Task<ParcelView> SendAsync(IReadOnlyList<string> paths, string? code = null, CancellationToken cancellation = default);

    /// <summary>Receives what waits behind a code, into a folder; null for the node's own folder "received".</summary>
    Task<ParcelView> ReceiveAsync(string code, string? folder = null, CancellationToken cancellation = default);

    /// <summary>The person's word on what is offered.</summary>
    Task<ParcelView> AnswerAsync(string id, bool accept, CancellationToken cancellation = default);

    /// <summary>Goes on with what broke off.</summary>
    Task<ParcelView> ResumeAsync(string id, CancellationToken cancellation = default);

    /// <summary>Stops it; what was begun can be gone on with.</summary>
    Task<ParcelView> StopAsync(string id, CancellationToken cancellation = default);

    /// <summary>Forgets it, with its unfinished files. What is complete stays.</summary>
    Task ForgetAsync(string id, CancellationToken cancellation = default);

    /// <summary>A new folder for files that a page uploads in order to send them. It goes when they are sent.</summary>
    Task<string> UploadFolderAsync(CancellationToken cancellation = default);

    /// <summary>What a code that is being typed may go on with: words of the list.</summary>
    IReadOnlyList<string> Complete(string typed);

    /// <summary>Leaves word in the DHT under a rendezvous of 20 bytes, and passes streams for it on to a port of 127.0.0.1. Held for 30 minutes, or until word and port are null.</summary>
    Task MeetAsync(byte[] meeting, byte[]? word, int? port, CancellationToken cancellation = default);

    /// <summary>Who left word under a rendezvous.</summary>
    Task<IReadOnlyList<ParcelWord>> FindAsync(byte[] meeting, CancellationToken cancellation = default);

    /// <summary>Opens a stream to whoever waits for a rendezvous at a node; gives a port of 127.0.0.1 that is glued to it for its first connection, 0 when nobody is reached.</summary>
    Task<int> DialAsync(string peer, byte[] meeting, CancellationToken cancellation = default);
}

/// <summary>Word that somebody left under a rendezvous.</summary>
/// <param name="Peer">The node that published it: 148 hex digits.</param>
/// <param name="Word">What it says; at most 256 bytes of a stranger's.</param>
public sealed record ParcelWord(string Peer, byte[] Word);

/// <summary>One file of a parcel.</summary>
/// <param name="Path">Its path within the parcel. The other side's: show escaped.</param>
/// <param name="SizeBytes">Its size.</param>
public sealed record ParcelFileView(string Path, long SizeBytes);

/// <summary>A parcel at one moment.</summary>
public sealed record ParcelView
{
    /// <summary>Its name here: hexadecimal digits.</summary>
    public required string Id { get; init; }
    /// <summary>Whether it goes out.</summary>
    public required bool IsSending { get; init; }
    /// <summary>What both type.</summary>
    public required string Code { get; init; }
    /// <summary>The code as a link, for a QR picture.</summary>
    public required string Link { get; init; }
    /// <summary>"photos and 2 more", in the sender's names. Show escaped.</summary>
    public required string Title { get; init; }
    /// <summary>waiting, asking, moving, paused (can be gone on with), done, failed.</summary>
    public required string State { get; init; }
    /// <summary>What it is doing, or how it ended. Show escaped.</summary>
    public required string Words { get; init; }
    /// <summary>Bytes that are at the receiver.</summary>
    public long DoneBytes { get; init; }
    /// <summary>Bytes in all; 0 while unknown.</summary>
    public long TotalBytes { get; init; }
    /// <summary>Bytes a second, lately.</summary>
    public double BytesPerSecond { get; init; }
    /// <summary>Seconds that are left at this rate; null while unknown.</summary>
    public double? SecondsLeft { get; init; }
    /// <summary>The first files, at most 200.</summary>
    public IReadOnlyList<ParcelFileView> Files { get; init; } = [];
    /// <summary>How many files there are.</summary>
    public int FileCount { get; init; }
    /// <summary>Where it is written; null for what goes out.</summary>
    public string? Folder { get; init; }
    /// <summary>Where what arrived is.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];
    /// <summary>When it began.</summary>
    public required DateTimeOffset Begun { get; init; }
}
