using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Discovery;
using Polder.Overlay.Invitations;
using Polder.Overlay.Tags;
using Polder.Wire;

namespace Polder.Tests.Overlay.AddressBook;

/// <summary>Every decoder of first contact and tags under damaged and random bytes. What a checksum or signature would refuse gets past it here.</summary>
public sealed class FirstContactFuzzTests
{
    private static readonly KeyPair Key = KeyPair.FromEntropy([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
    private static readonly Endpoint IPv4 = Endpoint.FromIPv4(0xCB007107, 8090);
    private static readonly Endpoint IPv6 = Endpoint.FromBytes([0x20, 1, 0x0D, 0xB8, .. new byte[11], 1], 8090);

    private static byte[] Sealed(ReadOnlySpan<byte> content) => [.. content, .. Hash256.Of(content).ToArray()];

    private static void Seal(string name, byte[] sample, Action<byte[]> read, int factor = 8)
    {
        read(sample);
        Fuzz.Run(name, [sample[..^32]], bytes => read(Sealed(bytes)), factor);
        Fuzz.Run(name + " unsealed", [sample], bytes => read(bytes.ToArray()), factor);
    }

    [Fact]
    public void An_address_book_survives()
    {
        var table = new AddressTable(new OverlayOptions(), 1, 2);
        for (var i = 0; i < 40; i++) table.Add(Endpoint.FromIPv4(0x0B000000 + (uint)i * 0x10000, 8090), new SourceGroup((ulong)i), 1);
        table.Answered(IPv4, new SourceGroup(3), 9);
        table.Answered(IPv6, new SourceGroup(4), 9);
        Seal("AddressBookFile", AddressBookFile.Write(table), static bytes => AddressBookFile.Read(bytes, new OverlayOptions(), 100, static _ => true), 16);
    }

    [Fact]
    public void Anchors_survive() => Seal("AnchorList", AnchorList.Write([new Anchor(IPv4, Key.Public, 7), new Anchor(IPv6, Key.Public, 8)]), static bytes => AnchorList.Read(bytes));

    [Fact]
    public void Contacts_survive() => Seal("ContactList", ContactList.Write([new Contact(Key.Public, "Anna", 5, ContactOrigin.InvitedUs, IPv4)]), static bytes => ContactList.Read(bytes));

    [Fact]
    public void Kept_invitations_survive() => Seal("InvitationFile",
        InvitationFile.Write([new GivenInvitation(new InvitationToken(5), 1, 2, Key.Public), new GivenInvitation(new InvitationToken(6), 1, 2, null)], [new TakenInvitation([1, 2, 3], 4)]),
        static bytes => InvitationFile.Read(bytes));

    [Fact]
    public void Tags_survive() => Seal("TagFile", TagFile.Write([("jazz", TagBudget.Default), ("ÄÖÜ", new TagBudget(9, 2))]), static bytes => TagFile.Read(bytes));

    [Fact]
    public void A_bundle_survives()
    {
        var sample = PeerBundle.Write(new NetworkId(3), Key, 77, [IPv4, IPv6], Ed25519Signatures.Instance);
        Assert.Equal(BundleRefusal.None, PeerBundle.TryRead(sample, new NetworkId(3), AnySignature.Instance, out var bundle));
        Assert.Equal([IPv4, IPv6], bundle!.Addresses);
        Fuzz.RefusesEveryTruncation(sample, static part => PeerBundle.TryRead(part, new NetworkId(3), AnySignature.Instance, out _) == BundleRefusal.None);
        Fuzz.Run("PeerBundle", [sample], static bytes => PeerBundle.TryRead(bytes, new NetworkId(3), AnySignature.Instance, out _), 8);
        sample[100] ^= 1;
        Assert.Equal(BundleRefusal.BadSignature, PeerBundle.TryRead(sample, new NetworkId(3), Ed25519Signatures.Instance, out _));
    }

    [Fact]
    public void A_bootstrap_list_survives_and_says_which_lines_are_none()
    {
        var sample = "# known\r\n198.51.100.7:8090 # Anna's\n\n[2001:db8::1]:6000\nexample.org:8090\nno address\n198.51.100.7:8090\n1.2.3:4\n"u8.ToArray();
        var list = BootstrapList.Read(sample);
        Assert.Equal([Endpoint.FromIPv4(0xC6336407, 8090), Endpoint.FromBytes([0x20, 1, 0x0D, 0xB8, .. new byte[11], 1], 6000)], list.Addresses);
        Assert.Equal(["example.org:8090"], list.Names);
        Assert.Equal([6, 8], list.BadLines);
        Fuzz.Run("BootstrapList", [sample], static bytes => BootstrapList.Read(bytes), 32);
    }

    [Fact]
    public void An_invitation_survives_as_bytes_and_as_text()
    {
        var invitation = new Invitation(Key.Public, 1_800_000_000, new NetworkId(9), [IPv4, IPv6], [new InvitationHelper(Key.Public.Id, IPv4)], new InvitationToken(42));
        var sample = invitation.Sign(Key, Ed25519Signatures.Instance);
        Fuzz.Run("Invitation", [sample], static bytes => Invitation.TryRead(bytes, AnySignature.Instance, out _), 8);
        var text = System.Text.Encoding.ASCII.GetBytes(Invitation.ToText(sample));
        Fuzz.Run("Invitation text", [text], static bytes => Invitation.TryParse(System.Text.Encoding.Latin1.GetString(bytes), AnySignature.Instance, out _), 12);
    }

    [Fact]
    public void Messages_and_frames_survive()
    {
        Fuzz.Run("Redeem", [[.. new byte[26]]], static bytes => Packet.Read<Redeem>(bytes, out _));
        Fuzz.Run("Redeemed", [[0, 1, 4]], static bytes => Packet.Read<Redeemed>(bytes, out _));
        Fuzz.Run("SharedTags", [SharedTags.Write([TagName.IdOf("a"), TagName.IdOf("b")], Key.Public, Key.Public)], static bytes => SharedTags.TryRead(bytes, out _));
        Assert.Equal(WireError.UnknownTag, Packet.Read<Redeemed>([0, 1, 5], out _));
    }

    /// <summary>Takes any signature: so that the fields behind it are reached.</summary>
    private sealed class AnySignature : ISignatures
    {
        public static AnySignature Instance { get; } = new();
        public void Sign(KeyPair key, ReadOnlySpan<byte> message, Span<byte> signature) => signature.Clear();
        public bool Verify(PublicKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => true;
    }
}
