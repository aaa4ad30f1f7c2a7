using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Net;
using Polder.Overlay.Refusals;
using Polder.Runtime;

namespace Polder.Overlay.Sessions;

/// <summary>What happens to a first handshake message before any curve operation.</summary>
internal enum Admission
{
    /// <summary>Nothing at all.</summary>
    Drop,
    /// <summary>A cookie goes back: show that you receive there.</summary>
    AskCookie,
    /// <summary>It is worked on.</summary>
    Admit,
}

/// <summary>What strangers' handshakes may cost: rates, cookies and time (OV-3.5, OV-3.9).</summary>
internal sealed class HandshakeGuard(NodeHost host, SessionOptions options)
{
    private const int Slots = 1024;
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    private readonly SourceTable _addresses = new(SlotsOf(host)), _networks = new(SlotsOf(host)), _proved = new(SlotsOf(host));
    private readonly byte[] _secrets = new byte[64];
    private TokenBucket _all;
    private TimeSpan _secretsSince, _freeAt;
    private bool _hasSecrets;

    // A world of many nodes keeps small tables.
    private static int SlotsOf(NodeHost host) => Math.Min(Slots, host.Options.SourceSlots);

    /// <summary>Whether answering handshakes has cost more than its share lately.</summary>
    public bool IsOverBudget(TimeSpan now) => _freeAt > now + Burst;

    /// <summary>So much time went into answering.</summary>
    public void Spent(TimeSpan time, TimeSpan now) => _freeAt = (_freeAt > now ? _freeAt : now) + time / options.HandshakeShare;

    /// <summary>What to do with a first message. <paramref name="waiting"/> are answered handshakes without a first packet.</summary>
    public Admission Judge(Endpoint from, int waiting, bool isProved, TimeSpan now)
    {
        if (isProved)
        {
            // It receives at its address, so the address' own rate is the right one, and the flood of others is not its fault.
            var ok = _proved.TryTake(host.Hash.Of(from), now, options.HandshakesPerSecondPerAddress, 2 * options.HandshakesPerSecondPerAddress)
                && !IsOverBudget(now);
            return ok ? Admission.Admit : Admission.Drop;
        }
        if (waiting > options.WaitingForCookies || IsOverBudget(now)) return Admission.AskCookie;
        var perAddress = options.HandshakesPerSecondPerAddress;
        if (!_addresses.TryTake(host.Hash.Of(from), now, perAddress, 2 * perAddress)) return Admission.AskCookie;
        var network = host.Hash.Of(from.Network(host.Options.NarrowPrefixIPv4, host.Options.NarrowPrefixIPv6));
        var perNetwork = options.HandshakesPerSecondPerNetwork;
        if (!_networks.TryTake(network, now, perNetwork, perNetwork)) return Admission.AskCookie;
        return _all.TryTake(now, options.HandshakesPerSecond, options.HandshakesPerSecond) ? Admission.Admit : Admission.AskCookie;
    }

    /// <summary>The cookie of an address, 16 bytes; the one before when <paramref name="previous"/>.</summary>
    public void WriteCookie(Endpoint address, bool previous, TimeSpan now, Span<byte> cookie)
    {
        Turn(now);
        Span<byte> text = stackalloc byte[18];
        var length = address.WriteAddress(text);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(text[length..], address.Port);
        HandshakeWire.WriteMac(Crypto, _secrets.AsSpan(previous ? 32 : 0, 32), text[..(length + 2)], cookie);
    }

    /// <summary>Whether the second MAC of a datagram was made with a cookie that we gave to this address.</summary>
    public bool IsProved(Endpoint address, ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        var mac = datagram[^HandshakeWire.MacBytes..];
        if (!_hasSecrets || !mac.ContainsAnyExcept((byte)0)) return false;
        Span<byte> cookie = stackalloc byte[HandshakeWire.CookieBytes];
        for (var i = 0; i < 2; i++)
        {
            WriteCookie(address, i == 1, now, cookie);
            if (HandshakeWire.IsMac(Crypto, cookie, datagram[..^HandshakeWire.MacBytes], mac)) return true;
        }
        return false;
    }

    private ISessionCrypto Crypto => host.Environment.Ciphers;

    private void Turn(TimeSpan now)
    {
        if (_hasSecrets && now - _secretsSince < options.CookieLifetime) return;
        if (_hasSecrets && now - _secretsSince < 2 * options.CookieLifetime) _secrets.AsSpan(0, 32).CopyTo(_secrets.AsSpan(32));
        else host.Environment.Random.Fill(_secrets.AsSpan(32));
        host.Environment.Random.Fill(_secrets.AsSpan(0, 32));
        (_hasSecrets, _secretsSince) = (true, now);
    }

    public void Wipe() => CryptographicOperations.ZeroMemory(_secrets);
}
