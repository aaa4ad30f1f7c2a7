using Polder.Net;
using Polder.Overlay;

namespace Polder.Simulation.Checkers;

/// <summary>
/// Nobody can make a node shoot at somebody else (I8, OV-4.1): in any ten seconds a node sends an address that did not yet
/// answer it at most three times the bytes that came from there, plus what it sends of its own accord to find out who is
/// there (<see cref="OwnAccordBytes"/>).
/// </summary>
/// <remarks>
/// The checker keeps its own books: an address counts as validated for a node once a datagram came from it after the node had
/// sent something there that reached a living node at that address. That is weaker than the node's own rule, so what fails
/// here is wrong by any reading.
/// </remarks>
public sealed class NoAmplification : TrafficChecker
{
    /// <summary>
    /// Bytes on a node's own initiative towards one address in ten seconds, for each community: two walks of four requests (the second after three
    /// seconds of walk and three of rest), two attempts at an address that the owner or the book names, and two punctures.
    /// </summary>
    public const int OwnAccordBytes = (2 * 4 + 2) * 210 + 2 * 190;

    /// <summary>
    /// Probes of 61 bytes that a node sends to an address which named itself in a signed record that repeats the node's own nonce: the
    /// many sockets of a birthday (Overlay OV-6.5), opened once and tried again a few times.
    /// </summary>
    public const int BirthdayBytes = 61 * (256 + 16 * 16 + 32);

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Dictionary<(int Node, Endpoint Address), Account> _accounts = [];
    private readonly HashSet<int> _exempt = [];

    /// <summary>Cheaters and scripted nodes need not keep the rule.</summary>
    public NoAmplification Exempt(SimulatedNode node)
    {
        _exempt.Add(node.Index);
        return this;
    }

    /// <inheritdoc/>
    public override void Check(World world)
    {
        // The books of addresses that were silent for long are closed.
        if (_accounts.Count < 65_536) return;
        foreach (var (key, account) in _accounts.ToArray())
            if (world.Now - account.Began > Window * 2 && !account.Validated) _accounts.Remove(key);
    }

    /// <inheritdoc/>
    public override void Sent(World world, SimulatedNode node, Endpoint to, ReadOnlySpan<byte> datagram)
    {
        if (_exempt.Contains(node.Index)) return;
        var account = Find(world, node, to);
        if (account.Validated) return;
        account.Asked = true;
        if (datagram is [0x09, ..])
        {
            account.Probes += datagram.Length;
            if (account.Probes > 3 * account.In + BirthdayBytes)
                world.Fail($"{node.Name} sent {account.Probes} bytes of probes within {Window} to {to}, which never answered and sent {account.In}");
            return;
        }
        account.Out += datagram.Length;
        var communities = node.Program is NodeHost host ? host.Communities.Count : 1;
        if (account.Out > 3 * account.In + communities * OwnAccordBytes)
            world.Fail($"{node.Name} sent {account.Out} bytes within {Window} to {to}, which never answered and sent {account.In}");
    }

    /// <inheritdoc/>
    public override void Received(World world, SimulatedNode node, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (_exempt.Contains(node.Index)) return;
        var account = Find(world, node, from);
        account.In += datagram.Length;
        if (account.Asked) account.Validated = true;
    }

    private Account Find(World world, SimulatedNode node, Endpoint address)
    {
        if (!_accounts.TryGetValue((node.Index, address), out var account)) _accounts[(node.Index, address)] = account = new Account { Began = world.Now };
        if (world.Now - account.Began > Window) (account.Began, account.In, account.Out, account.Probes) = (world.Now, 0, 0, 0);
        return account;
    }

    private sealed class Account
    {
        public TimeSpan Began;
        public long In, Out, Probes;
        public bool Asked, Validated;
    }
}
