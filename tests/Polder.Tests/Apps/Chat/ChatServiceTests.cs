using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;

namespace Polder.Tests.Apps.Chat;

public sealed class ChatServiceTests
{
    [Fact]
    public async Task Two_talk_and_both_read_the_same_in_the_same_order_whatever_their_clocks_say()
    {
        var world = new ChatWorld(1);
        var (alice, bob) = (world.Add("alice"), world.Add("bob", TimeSpan.FromDays(-5)));
        var id = alice.With(bob);
        await alice.SayAsync(id, "one");
        await world.SettleAsync();
        await bob.SayAsync(id, "two");
        await world.SettleAsync();
        await alice.SayAsync(id, "three");
        await bob.SayAsync(id, "beside three");
        await world.SettleAsync();
        Assert.Equal(["alice: one", "bob: two"], alice.Read(id).Take(2));
        Assert.Equal(4, alice.Read(id).Count);
        Assert.Equal(alice.Read(id), bob.Read(id));
    }

    [Fact]
    public async Task Edits_deletions_and_reactions_reach_the_other_and_only_the_author_changes_a_message()
    {
        var world = new ChatWorld(2);
        var (alice, bob) = (world.Add("alice"), world.Add("bob"));
        var id = alice.With(bob);
        var said = await alice.SayAsync(id, "helo");
        var other = await alice.SayAsync(id, "gone soon");
        await world.SettleAsync();
        await alice.Chat.SendAsync(id, MessageContent.OfEdit(said.Id, "hello"));
        await alice.Chat.SendAsync(id, MessageContent.OfDelete(other.Id));
        await bob.Chat.SendAsync(id, MessageContent.OfReaction(said.Id, "👍", true));
        await world.SettleAsync();
        Assert.Equal(["alice: hello 👍1", "alice: -"], bob.Read(id));
        Assert.Equal(bob.Read(id), alice.Read(id));
        await bob.Chat.SendAsync(id, MessageContent.OfReaction(said.Id, "👍", false));
        await world.SettleAsync();
        Assert.Equal("alice: hello", alice.Read(id)[0]);
        await Assert.ThrowsAsync<ChatRefusedException>(() => bob.Chat.SendAsync(id, MessageContent.OfEdit(said.Id, "I owe you")));
    }

    [Fact]
    public async Task Ticks_follow_the_letter_and_seeing_is_told()
    {
        var world = new ChatWorld(3);
        var (alice, bob) = (world.Add("alice"), world.Add("bob"));
        var id = alice.With(bob);
        var said = await alice.SayAsync(id, "hello");
        Assert.Equal(LetterStage.OnlyHere, Assert.Single(alice.Store.Deliveries(said.Id)).Stage);
        await world.SettleAsync(doubled: 0);
        Assert.Equal(LetterStage.Delivered, Assert.Single(alice.Store.Deliveries(said.Id)).Stage);
        Assert.Equal(1, bob.Store.CountAfter(id, bob.Store.Find(id)!.Read, bob.Key, 100));
        await bob.Chat.MarkReadAsync(id);
        Assert.Single(bob.Letters.Seen);
        Assert.Equal(0, bob.Store.CountAfter(id, bob.Store.Find(id)!.Read, bob.Key, 100));
        await bob.Chat.MarkReadAsync(id);
        Assert.Single(bob.Letters.Seen);
    }

    [Fact]
    public async Task A_removed_member_cannot_read_what_comes_later_and_a_newcomer_not_what_was_before()
    {
        var world = new ChatWorld(4);
        var (alice, bob, carol, dave) = (world.Add("alice"), world.Add("bob"), world.Add("carol"), world.Add("dave"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, carol.Key])).Id;
        await world.SettleAsync();
        await bob.SayAsync(group, "one");
        await world.SettleAsync();
        Assert.Equal(["bob: one"], carol.Read(group));
        await alice.Chat.RemoveAsync(group, carol.Key);
        await world.SettleAsync();
        Assert.Equal(ConversationStanding.Gone, carol.Store.Find(group)!.Standing);
        var secret = await bob.SayAsync(group, "two");
        // Even whoever hands Carol the bytes gives her nothing: no key of hers opens them.
        var stolen = bob.Store.Find(secret.Id)!;
        await carol.Letters.Handler!(new Letter(new LetterId(secret.Id.Hash), bob.Key, LetterKinds.Chat, ChatLetter.Write([stolen.Raw]), world.Now, 9));
        foreach (var change in bob.Store.Changes(group))
        {
            if (change.ChangeContent?.OpenFor(carol.Pair) is not { } key) continue;
            Assert.True(ChatEvent.TryRead(stolen.Raw, out var message));
            Assert.Null(GroupCipher.TryOpen(key, message));
        }
        await world.SettleAsync();
        Assert.Equal(["bob: one"], carol.Read(group));
        await Assert.ThrowsAsync<ChatRefusedException>(() => carol.SayAsync(group, "let me in"));
        await alice.Chat.AddAsync(group, [dave.Key]);
        await world.SettleAsync();
        await alice.SayAsync(group, "three");
        await world.SettleAsync();
        Assert.Equal(["alice: three"], dave.Read(group));
        Assert.Equal(["bob: one", "bob: two", "alice: three"], bob.Read(group));
    }

    [Fact]
    public async Task Whoever_was_removed_and_goes_on_under_the_old_key_is_not_heard_and_all_agree()
    {
        var world = new ChatWorld(5);
        var (alice, bob, carol) = (world.Add("alice"), world.Add("bob"), world.Add("carol"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, carol.Key])).Id;
        await world.SettleAsync();
        await carol.SayAsync(group, "seen by Alice");
        await world.SettleAsync();
        await alice.Chat.RemoveAsync(group, carol.Key);
        // Carol does not know yet; what she says now Alice had not seen.
        await carol.SayAsync(group, "too late");
        await world.SettleAsync();
        Assert.Equal(["carol: seen by Alice"], alice.Read(group));
        Assert.Equal(alice.Read(group), bob.Read(group));
        Assert.Equal(alice.Read(group), carol.Read(group));
    }

    [Fact]
    public async Task A_crash_between_keeping_and_posting_loses_and_doubles_nothing()
    {
        var world = new ChatWorld(6);
        var (alice, bob) = (world.Add("alice"), world.Add("bob"));
        var id = alice.With(bob);
        await alice.SayAsync(id, "one");
        // On the disk with its delivery, but the letter is lost with the mail-bag's memory.
        world.Open.Clear();
        foreach (var delivery in alice.Store.DeliveriesOf(alice.Store.Deliveries(alice.Store.Page(id, null, 1)[0].Id)[0].Letter!.Value))
            alice.Store.Put(delivery with { Letter = null });
        await alice.Store.FlushAsync();
        alice.Crash();
        await world.SettleAsync();
        bob.Crash();
        Assert.Equal(["alice: one"], bob.Read(id));
    }

    [Fact]
    public async Task Letters_of_others_in_a_pair_and_forged_groups_are_refused()
    {
        var world = new ChatWorld(7);
        var (alice, bob, mallory) = (world.Add("alice"), world.Add("bob"), world.Add("mallory"));
        var id = alice.With(bob);
        var said = await alice.SayAsync(id, "mine");
        var raw = alice.Store.Find(said.Id)!.Raw;
        world.Open.Clear();
        // Mallory sends Alice's words under his own seal.
        Assert.True(await bob.Letters.Handler!(new Letter(new LetterId(said.Id.Hash), mallory.Key, LetterKinds.Chat, ChatLetter.Write([raw]), world.Now, 1)));
        Assert.Empty(bob.Store.Conversations());
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key])).Id;
        await world.SettleAsync();
        var change = alice.Store.Changes(group)[0].Raw.ToArray();
        change[^70] ^= 1;
        Assert.True(await bob.Letters.Handler!(new Letter(new LetterId(said.Id.Hash), alice.Key, LetterKinds.Chat, ChatLetter.Write([change]), world.Now, 2)));
        Assert.Single(bob.Store.Changes(group));
    }

    [Fact]
    public async Task What_was_lost_of_a_group_is_asked_for_and_comes()
    {
        var world = new ChatWorld(8);
        var (alice, bob, carol) = (world.Add("alice"), world.Add("bob"), world.Add("carol"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, carol.Key])).Id;
        await world.SettleAsync();
        await alice.SayAsync(group, "one");
        world.Open.RemoveAll(letter => letter.To == carol.Key);
        await alice.SayAsync(group, "two");
        await world.SettleAsync();
        Assert.Equal(["alice: two"], carol.Read(group));
        for (var i = 0; i < 4; i++)
        {
            world.Now += TimeSpan.FromMinutes(10);
            foreach (var person in world.People) await person.Chat.TickAsync();
            await world.SettleAsync();
        }
        Assert.Equal(["alice: one", "alice: two"], carol.Read(group));
    }

    [Fact]
    public async Task What_a_void_removal_hid_is_shown_again()
    {
        var world = new ChatWorld(9);
        var (alice, bob, carol) = (world.Add("alice"), world.Add("bob"), world.Add("carol"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, carol.Key])).Id;
        await world.SettleAsync();
        await alice.Chat.PromoteAsync(group, bob.Key, true);
        await world.SettleAsync();
        // Two admins remove each other; Carol hears first of the removal that does not count, and of what Alice said beside it.
        await bob.Chat.RemoveAsync(group, alice.Key);
        var removal = world.Open.FindIndex(letter => letter.From == bob && letter.To == carol.Key);
        await world.DeliverOneAsync(removal, doubled: 0);
        await alice.SayAsync(group, "still here");
        await world.DeliverOneAsync(world.Open.FindIndex(letter => letter.From == alice && letter.To == carol.Key), doubled: 0);
        Assert.Empty(carol.Read(group));
        await alice.Chat.RemoveAsync(group, bob.Key);
        await world.SettleAsync();
        Assert.Equal(["alice: still here"], alice.Read(group));
        Assert.Equal(alice.Read(group), carol.Read(group));
    }

    [Fact]
    public async Task The_highest_numbers_there_are_harm_nobody()
    {
        var world = new ChatWorld(10);
        var (alice, bob, mallory) = (world.Add("alice"), world.Add("bob"), world.Add("mallory"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, mallory.Key])).Id;
        await world.SettleAsync();
        var epoch = Assert.Single(mallory.Chat.Group(group)!.FittingEpochs);
        var secret = mallory.Store.Secret(epoch.Id)!.Value;
        byte[] Said(uint sequence, uint first, UInt128 salt)
        {
            var header = new EventHeader(EventClass.Group, group, mallory.Key, sequence, first, ChatLimits.ClockMax, ChatLimits.TimeMax, epoch.Id, salt);
            return ChatEvent.Make(header, GroupCipher.Seal(secret, header, MessageContent.OfText($"{salt}").Write()), mallory.Pair, Polder.Cryptography.Ed25519Signatures.Instance).Raw;
        }
        var letter = new Letter(new LetterId(group.Hash), mallory.Key, LetterKinds.Chat, ChatLetter.Write([Said(uint.MaxValue, 1, 1), Said(uint.MaxValue, uint.MaxValue, 2), Said(5, 5, 3)]), world.Now, 1);
        Assert.True(await bob.Letters.Handler!(letter));
        await bob.SayAsync(group, "never mind");
        for (var i = 0; i < 8; i++)
        {
            world.Now += TimeSpan.FromMinutes(20);
            await bob.Chat.TickAsync();
            await world.SettleAsync();
        }
        Assert.Contains("bob: never mind", alice.Read(group));
        Assert.Equal(4, bob.Read(group).Count);
    }

    [Fact]
    public async Task Whoever_is_added_by_somebody_who_was_removed_at_that_moment_hears_that_it_is_not_in()
    {
        var world = new ChatWorld(11);
        var (alice, bob, carol, dave) = (world.Add("alice"), world.Add("bob"), world.Add("carol"), world.Add("dave"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key, carol.Key])).Id;
        await world.SettleAsync();
        await alice.Chat.PromoteAsync(group, bob.Key, true);
        await world.SettleAsync();
        await alice.Chat.RemoveAsync(group, bob.Key);
        await bob.Chat.AddAsync(group, [dave.Key]);
        await world.SettleAsync();
        // Beside a removal nothing of the removed counts; Dave has Bob's word, and Alice's that it is void.
        foreach (var person in new[] { alice, bob, carol, dave })
            Assert.Equal([.. new[] { alice.Key, carol.Key }.Order()], person.Chat.Group(group)!.State.Members.Keys);
        Assert.Equal(ConversationStanding.Gone, dave.Store.Find(group)!.Standing);
    }
}
