using System.Diagnostics.CodeAnalysis;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Runtime;

/// <summary>
/// The world as a node sees it (decision 0002). Whoever builds this record decides whether the node lives on the Internet
/// or in a test. Stores come per area, beside their rules.
/// </summary>
/// <param name="Loop">The node's one thread of control.</param>
/// <param name="Time">Clock and timers; timers fire on the loop (<see cref="LoopTimeProvider"/>).</param>
/// <param name="Random">The node's own stream of random numbers.</param>
/// <param name="Socket">Where datagrams come from and go to.</param>
/// <param name="Workers">Where heavy pure work runs.</param>
/// <param name="Signatures">How packets and blocks are signed.</param>
public sealed record NodeEnvironment(
    NodeLoop Loop, TimeProvider Time, Prng Random, IDatagramSocket Socket, IWorkers Workers, ISignatures Signatures)
{
    /// <summary>What secure sessions compute with.</summary>
    public ISessionCrypto Ciphers { get; init; } = SodiumSessionCrypto.Instance;

    /// <summary>Where further sockets come from; null where there are none, and then also no birthday punctures.</summary>
    public IExtraSockets? ExtraSockets { get; init; }

    /// <summary>Keys that nodes of one process share; null, the default, for a node among strangers.</summary>
    public PublicKeyPool? Keys { get; init; }

    /// <summary>Reads a public key in wire form, as <see cref="PublicKey.TryParse"/>, from <see cref="Keys"/> where there are some.</summary>
    public bool TryParseKey(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicKey? key) =>
        Keys is { } pool ? pool.TryParse(bytes, out key) : PublicKey.TryParse(bytes, out key);

    /// <summary>What makes rare things happen in a simulated world; null, always, in a real node.</summary>
    public Mischief? Mischief { get; init; }

    /// <summary>Whether a rare but allowed thing happens here and now: never in a real node. <paramref name="place"/> names the line of code.</summary>
    public bool Buggify(string place, double probability) => Mischief is { } mischief && mischief.Happens(place, probability);
}
