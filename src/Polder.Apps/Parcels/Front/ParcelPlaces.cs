using Polder.Apps.Parcels.Codes;

namespace Polder.Apps.Parcels;

/// <summary>A transfer from the sender's side, shared by all its meeting places.</summary>
/// <param name="Contents">What is sent.</param>
/// <param name="Human">Who sends.</param>
public sealed record SendingJob(ParcelContents Contents, IParcelSenderHuman Human)
{
    /// <summary>The code; there once the front knows it, before a place is told to wait.</summary>
    public WormholeCode Code { get; init; } = null!;
    /// <summary>Whether the person wants to compare the verifier before anything is offered.</summary>
    public bool Verify { get; init; }
    /// <summary>Which place goes on; and whether the code still may be used.</summary>
    public CodeUse Use { get; init; } = new();
}

/// <summary>A transfer from the receiver's side.</summary>
/// <param name="Code">The code that was typed.</param>
/// <param name="Folder">Where things are written unless the human says otherwise.</param>
/// <param name="Human">Who receives.</param>
public sealed record ReceivingJob(WormholeCode Code, string Folder, IParcelReceiverHuman Human)
{
    /// <summary>Whether the verifier is to be shown.</summary>
    public bool Verify { get; init; }
    /// <summary>Which place goes on; and whether the code still may be used.</summary>
    public CodeUse Use { get; init; } = new();
}

/// <summary>A place where a sender can be met: a mailbox server, the local network, the DHT.</summary>
public interface ISendingPlace
{
    /// <summary>Its name for people.</summary>
    string Name { get; }

    /// <summary>Draws a number for a code and keeps it; null when this place gives none or does not answer. Called at most once, before <see cref="SendAsync"/>.</summary>
    Task<string?> AllocateAsync(IParcelSenderHuman human, CancellationToken cancellation);

    /// <summary>
    /// Waits for the other side here and goes through the transfer. Calls <see cref="CodeUse.Win"/> once the key is confirmed: when that
    /// says no, another place was first and this one leaves. Returns null when this place cannot take part (it does not answer).
    /// </summary>
    Task<ParcelOutcome?> SendAsync(SendingJob job, CancellationToken cancellation);
}

/// <summary>The same from the receiver's side.</summary>
public interface IReceivingPlace
{
    /// <summary>Its name for people.</summary>
    string Name { get; }

    /// <summary>Looks for the sender here and goes through the transfer; as <see cref="ISendingPlace.SendAsync"/>.</summary>
    Task<ParcelOutcome?> ReceiveAsync(ReceivingJob job, CancellationToken cancellation);
}
