using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.Chat;
using Polder.Runtime;
using Polder.Tests.Node;

namespace Polder.Tests.Apps.Chat;

/// <summary>What every store of conversations does, in memory and on the disk alike.</summary>
public abstract class ChatStoreContract
{
    private protected abstract IChatStore Open();
    private protected abstract IChatStore Reopen();

    private readonly Prng _random = new(5);
    private readonly KeyPair _alice, _bob;
    private readonly ConversationId _id;

    protected ChatStoreContract()
    {
        (_alice, _bob) = (Key(), Key());
        _id = ConversationId.OfPair(_alice.Public, _bob.Public);
    }

    private KeyPair Key()
    {
        var entropy = new byte[KeyPair.EntropyBytes];
        _random.Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }

    private protected Conversation Talk => new(_id, ConversationKind.Pair, _bob.Public, "", ConversationStanding.Open, default, 7);

    private protected StoredEvent Say(string text, ulong clock, uint sequence, bool byBob = false, EventId target = default, MessageKind kind = MessageKind.Text)
    {
        var content = kind switch { MessageKind.Edit => MessageContent.OfEdit(target, text), MessageKind.Delete => MessageContent.OfDelete(target), _ => MessageContent.OfText(text, target) };
        var author = byBob ? _bob : _alice;
        var header = new EventHeader(EventClass.Pair, _id, author.Public, sequence, 1, clock, 1000 + clock, default, new UInt128(_random.NextUInt64(), 1));
        return StoredEvent.Of(ChatEvent.Make(header, content.Write(), author, Ed25519Signatures.Instance), content, null, 5000 + clock, false);
    }

    [Fact]
    public async Task What_was_flushed_is_there_again()
    {
        var store = Open();
        store.Put(Talk);
        var one = Say("one", 1, 1);
        Assert.True(store.Add(one));
        Assert.False(store.Add(one));
        store.Put(new Delivery(one.Id, _bob.Public, null, LetterStage.OnlyHere));
        store.PutSecret(_id, one.Id, Hash256.Of("s"u8));
        store.PutForeign("uuid", _bob.Public, one.Id);
        Assert.True(store.Hold(_id, new HeldEvent(one.Id, one.Raw, _bob.Public, new LetterId(Hash256.Of("l"u8)))));
        await store.FlushAsync();
        store = Reopen();
        Assert.Equal(Talk, store.Find(_id));
        Assert.Equal(one.Raw, store.Find(one.Id)!.Raw);
        Assert.Equal("one", store.Find(one.Id)!.Content!.Text);
        Assert.Equal(one.Id, Assert.Single(store.Unposted(10)).Event);
        Assert.Equal(Hash256.Of("s"u8), store.Secret(one.Id));
        Assert.Equal(one.Id, store.FindForeign("uuid", _bob.Public));
        Assert.Equal("uuid", store.ForeignName(one.Id));
        Assert.Equal(one.Raw, Assert.Single(store.Held(_id)).Raw);
        store.Release(one.Id);
        Assert.Empty(store.Held(_id));
        Assert.Null(store.Find(new ConversationId(Hash256.Of("none"u8))));
        Assert.Empty(store.Page(new ConversationId(Hash256.Of("none"u8)), null, 10));
        Assert.Single(store.Conversations());
    }

    [Fact]
    public void Pages_follow_the_one_order_and_hidden_events_are_not_shown()
    {
        var store = Open();
        store.Put(Talk);
        StoredEvent[] all = [.. Enumerable.Range(1, 30).Select(i => Say("m" + i, (ulong)i, (uint)i))];
        foreach (var one in all.Reverse()) store.Add(one);
        Assert.Equal(all.Reverse().Take(10).Select(static one => one.Id), store.Page(_id, null, 10).Select(static one => one.Id));
        Assert.Equal(all.Take(4).Reverse().Select(static one => one.Id), store.Page(_id, all[4].Order, 10).Select(static one => one.Id));
        Assert.Equal(all.Skip(4).Take(3).Select(static one => one.Id), store.PageFrom(_id, all[4].Order, 3).Select(static one => one.Id));
        store.Hide(all[^1].Id, true);
        Assert.Equal(all[^2].Id, store.Page(_id, null, 1)[0].Id);
        store.Hide(all[^1].Id, false);
        Assert.Equal(all[^1].Id, store.Page(_id, null, 1)[0].Id);
        Assert.Equal(30u, store.LastSequence(_id, _alice.Public));
        Assert.Equal(0u, store.LastSequence(_id, _bob.Public));
        Assert.Equal(30ul, store.LastClock(_id));
        Assert.Equal([5u, 6u], store.By(_id, _alice.Public, 5, 6, 10).Select(static one => one.Sequence));
        Assert.Equal(Enumerable.Range(1, 30).Select(static number => (uint)number), store.Numbers(_id, _alice.Public).Select(static one => one.Sequence));
        Assert.Equal(5, store.CountAfter(_id, all[24].Order, _bob.Public, 100));
        Assert.Equal(0, store.CountAfter(_id, all[24].Order, _alice.Public, 100));
        Assert.Equal(3, store.CountAfter(_id, default, _bob.Public, 3));
    }

    [Fact]
    public void Words_are_found_by_their_beginnings_in_any_case_and_by_their_edits()
    {
        var store = Open();
        store.Put(Talk);
        var (one, two) = (Say("The Beans of Ólafur are ripe", 1, 1), Say("beets too", 2, 1, byBob: true));
        store.Add(one);
        store.Add(two);
        store.Add(Say("The peas are ripe", 3, 2, target: one.Id, kind: MessageKind.Edit));
        store.Add(Say("not yours", 4, 2, byBob: true, target: one.Id, kind: MessageKind.Edit));
        Assert.Equal([one.Id], store.Search(ChatWords.Of("BEAN"), null, 10).Select(static found => found.Id));
        Assert.Equal([one.Id], store.Search(ChatWords.Of("óLA ripe"), _id, 10).Select(static found => found.Id));
        Assert.Equal([one.Id], store.Search(ChatWords.Of("pea"), null, 10).Select(static found => found.Id));
        Assert.Equal([two.Id, one.Id], store.Search(ChatWords.Of("be"), null, 10).Select(static found => found.Id));
        Assert.Empty(store.Search(ChatWords.Of("yours"), null, 10));
        Assert.Empty(store.Search(ChatWords.Of("beans beets"), null, 10));
        Assert.Empty(store.Search(ChatWords.Of("bean"), new ConversationId(Hash256.Of("none"u8)), 10));
        Assert.Empty(store.Search(ChatWords.Of("' OR 1=1 --"), null, 10));
    }

    [Fact]
    public void Letters_are_taken_once_up_to_a_place()
    {
        var store = Open();
        store.Put(Talk);
        var (one, two) = (Say("one", 1, 1, byBob: true), Say("two", 2, 2, byBob: true));
        store.Add(one);
        store.Add(two);
        var (first, second) = (new LetterId(Hash256.Of("1"u8)), new LetterId(Hash256.Of("2"u8)));
        store.NoteLetter(_id, one.Id, first);
        store.NoteLetter(_id, two.Id, second);
        Assert.Equal([first], store.TakeLetters(_id, one.Order));
        Assert.Empty(store.TakeLetters(_id, one.Order));
        Assert.Equal([second], store.TakeLetters(_id, two.Order));
        store.Put(new Delivery(one.Id, _bob.Public, first, LetterStage.Delivered));
        Assert.Equal(LetterStage.Delivered, Assert.Single(store.DeliveriesOf(first)).Stage);
        Assert.Empty(store.Unposted(10));
    }
}

public sealed class MemoryChatStoreTests : ChatStoreContract
{
    private readonly MemoryChatPlatter _platter = new();
    private protected override IChatStore Open() => new MemoryChatStore(_platter);
    private protected override IChatStore Reopen() => new MemoryChatStore(_platter);

    [Fact]
    public async Task A_crash_forgets_exactly_what_was_not_flushed()
    {
        var store = Open();
        store.Put(Talk);
        store.Add(Say("kept", 1, 1));
        await store.FlushAsync();
        store.Add(Say("lost", 2, 2));
        Assert.Equal("kept", Reopen().Page(Talk.Id, null, 10).Single().Content!.Text);
    }
}

public sealed class SqliteChatStoreTests : ChatStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private SqliteChatStore? _store;

    private string Path => _folder.At("chat.db");
    private protected override IChatStore Open() => _store = SqliteChatStore.Open(Path);

    private protected override IChatStore Reopen()
    {
        _store?.Dispose();
        return _store = SqliteChatStore.Open(Path);
    }

    public void Dispose()
    {
        _store?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Another_program_sees_what_was_flushed_while_the_writer_still_lives()
    {
        // As after kill -9: nothing of the writer's memory is there, only its files.
        var store = Open();
        store.Put(Talk);
        store.Add(Say("kept", 1, 1));
        await store.FlushAsync();
        var copy = _folder.At("copy.db");
        File.Copy(Path, copy);
        File.Copy(Path + "-wal", copy + "-wal");
        using var other = SqliteChatStore.Open(copy);
        Assert.Equal("kept", other.Page(Talk.Id, null, 10).Single().Content!.Text);
    }

    [Fact]
    public void A_damaged_file_is_set_aside()
    {
        File.WriteAllText(Path, new string('x', 8192));
        Assert.Empty(Open().Conversations());
        Assert.True(File.Exists(Path + ".damaged"));
    }
}
