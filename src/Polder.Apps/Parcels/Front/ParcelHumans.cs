using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;

namespace Polder.Apps.Parcels;

/// <summary>How far a transfer is.</summary>
public enum ParcelStage
{
    /// <summary>Finding a meeting place and a code.</summary>
    Meeting,
    /// <summary>Waiting for the other side to type the code.</summary>
    Waiting,
    /// <summary>The code was right on both sides; the offer is being looked at.</summary>
    Agreeing,
    /// <summary>Finding a line for the bytes.</summary>
    Connecting,
    /// <summary>Bytes travel.</summary>
    Moving,
    /// <summary>All bytes are there and are being checked, unpacked or confirmed.</summary>
    Checking,
    /// <summary>Finished well.</summary>
    Done,
}

/// <summary>A moment of a transfer.</summary>
/// <param name="Stage">How far it is.</param>
/// <param name="DoneBytes">Bytes that have travelled.</param>
/// <param name="TotalBytes">Bytes in all; 0 while unknown.</param>
/// <param name="Words">What happens, for a person: "through the relay 127.0.0.1:4001". May hold the other side's words: show escaped.</param>
public readonly record struct ParcelProgress(ParcelStage Stage, long DoneBytes, long TotalBytes, string Words);

/// <summary>Who watches a transfer. Called from any thread, often; returns at once and never throws.</summary>
public interface IParcelProgress
{
    /// <summary>Takes the newest moment.</summary>
    void Report(in ParcelProgress progress);

    /// <summary>Says something beside the progress, once: a warning, a server's message of the day. May hold others' words: show escaped.</summary>
    void Note(string sentence);
}

/// <summary>The person who sends: sees the code, and may be asked to compare the verifier. Terminal and page are two of them.</summary>
public interface IParcelSenderHuman : IParcelProgress
{
    /// <summary>The code is there: show it, with what the other side has to type.</summary>
    void ShowCode(WormholeCode code);

    /// <summary>Asked before anything is offered, when the person wanted to compare: is the other side's verifier the same?</summary>
    Task<bool> IsVerifierRightAsync(Hash256 verifier, CancellationToken cancellation);
}

/// <summary>The person who receives: is asked about the offer, and reads a text.</summary>
public interface IParcelReceiverHuman : IParcelProgress
{
    /// <summary>Asked once about every offer but a text. The answer may take minutes.</summary>
    Task<ParcelAnswer> AskAsync(ParcelOffer offer, CancellationToken cancellation);

    /// <summary>Asked again when what unpacks is far larger than the free disk allows for: go on?</summary>
    Task<bool> IsHugeWelcomeAsync(long unpackedBytes, long freeBytes, CancellationToken cancellation);

    /// <summary>Shows a text that came. It is the other side's: show escaped.</summary>
    void ShowText(string text);

    /// <summary>Shows the verifier, when the person wanted to compare.</summary>
    void ShowVerifier(Hash256 verifier);
}
