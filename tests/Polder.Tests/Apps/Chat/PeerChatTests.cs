using System.Security.Cryptography;
using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Apps.Chat.PeerChat;
using Polder.Apps.Contacts;
using Polder.Overlay;
using Polder.Simulation;

namespace Polder.Tests.Apps.Chat;

/// <summary>Somebody with the SuperApp, played by the community alone, talks with a node that has the chat.</summary>
public sealed class PeerChatTests
{
    private static (World World, SimulatedNode Node, SimulatedNode Friend, List<string> Acks) Meet()
    {
        var world = new World(5, new LinkModel { Latency = TimeSpan.FromMilliseconds(20), Loss = 0.05 });
        var node = world.AddNode("node", setUp: static (_, host) =>
        {
            new ContactsModule().Join(host);
            new MailModule().Join(host);
            new ChatModule().Join(host);
        });
        var acks = new List<string>();
        // The SuperApp does not announce sessions.
        var friend = world.AddNode("friend", options: new OverlayOptions { Sessions = new() { Enabled = false } }, setUp: (_, host) =>
        {
            var community = host.Join(static context => new PeerChatCommunity(context));
            community.Trusts = static _ => true;
            community.Acknowledged = (_, name) => acks.Add(name);
            community.TextCame = (_, text) =>
            {
                acks.Add("text " + text.Text);
                return Task.FromResult(true);
            };
            community.FileWanted = (key, hash) => { if (hash == Convert.ToHexStringLower(SHA256.HashData(Picture))) community.SendFile(key, new PeerChatFile(hash, Picture)); };
        });
        friend.WalkTo(node);
        world.RunUntil(() => friend.Get<PeerChatCommunity>().Peers.Count == 1 && node.Get<PeerChatCommunity>().Peers.Count == 1, TimeSpan.FromMinutes(3));
        return (world, node, friend, acks);
    }

    private static byte[] Picture { get; } = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, .. new byte[5000]];

    [Fact]
    public void Words_and_pictures_of_a_contact_appear_in_the_chat_are_acknowledged_and_answered()
    {
        var (world, node, friend, acks) = Meet();
        node.Run(() => _ = node.Host.Find<ContactBook>()!.AddAsync(friend.Identity.Public, "Fred"));
        var text = PeerChatText.Of("7c19ab52-0000-4000-8000-000000000001", "look") with { AttachmentType = "image", AttachmentSize = Picture.Length, Attachment = SHA256.HashData(Picture) };
        world.Every(TimeSpan.FromSeconds(10), () => friend.Run(() => friend.Get<PeerChatCommunity>().SendText(node.Identity.Public, text)));
        var chat = node.Host.Find<ChatService>()!;
        var id = ConversationId.OfPair(node.Identity.Public, friend.Identity.Public);
        world.RunUntil(() => chat.Store.Page(id, null, 10).Count == 2 && acks.Contains(text.Name), TimeSpan.FromMinutes(5));
        Assert.Equal("look", chat.Store.Page(id, null, 10)[1].Content!.Text);
        var file = Assert.Single(chat.Store.Page(id, null, 10)[0].Content!.Attachments);
        Assert.Equal((Picture.Length, "picture.png"), ((int)file.SizeBytes, file.Name));
        Assert.True(chat.Store.Find(id)!.Foreign);
        StoredEvent? answer = null;
        node.Run(() => _ = AnswerAsync());
        world.RunUntil(() => acks.Contains("text beautiful") && answer is not null && chat.Store.Deliveries(answer.Id)[0].Stage == LetterStage.Delivered, TimeSpan.FromMinutes(5));
        Assert.Equal(3, chat.Store.Page(id, null, 10).Count);

        async Task AnswerAsync() => answer = await chat.SendAsync(id, MessageContent.OfText("beautiful"));
    }

    [Fact]
    public void A_stranger_of_the_SuperApp_leaves_nothing_and_learns_nothing()
    {
        var (world, node, friend, acks) = Meet();
        friend.Run(() => friend.Get<PeerChatCommunity>().SendText(node.Identity.Public, PeerChatText.Of("7c19ab52-0000-4000-8000-000000000001", "buy this")));
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.Empty(node.Host.Find<ChatService>()!.Store.Conversations());
        Assert.Empty(acks);
        Assert.True(node.Get<PeerChatCommunity>().Refused > 0);
    }
}
