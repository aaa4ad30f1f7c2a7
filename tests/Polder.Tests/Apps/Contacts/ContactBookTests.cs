using Polder.Apps.Contacts;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Invitations;
using Polder.Simulation;
using Polder.Tests.Overlay;

namespace Polder.Tests.Apps.Contacts;

public sealed class ContactBookTests
{
    private static PublicKey Key(int number) => KeyPair.FromEntropy([.. Enumerable.Range(0, 64).Select(i => (byte)((i * 7 + number * 29) & 0xFF))]).Public;

    private sealed class Desk
    {
        public World World { get; } = new(7);
        public MemoryStateStore Store { get; } = new();
        public SimulatedNode Node { get; }
        public ContactBook Book => Node.Host.Find<ContactBook>()!;

        public Desk(IStateStore? store = null) => Node = World.AddNode("anna", null, OverlayTestNodes.Options, (_, host) =>
        {
            host.Offer(store ?? Store);
            new ContactsModule().Join(host);
        });

        public T Do<T>(Func<ContactBook, Task<T>> work)
        {
            Task<T>? task = null;
            Node.Run(() => task = work(Book));
            World.RunUntil(() => task!.IsCompleted, TimeSpan.FromSeconds(10));
            return task!.Result;
        }
    }

    [Fact]
    public void What_the_owner_wrote_is_there_after_a_restart()
    {
        var desk = new Desk();
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.AddAsync(Key(1), "Ben", alias: "Benny \u202Egnp.exe", verified: true)));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.AddAsync(Key(2), introducedBy: Key(1))));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.NoteAsync(Key(1), "met in the library\nlikes tea")));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.MuteAsync(Key(1))));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.RenameAsync(Key(2), "Carla")));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.NameOwnAsync("Anna")));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.AskAsync(Key(3), "Dora", Key(1), "Dora from work")));
        var (before, asked) = (desk.Book.All, desk.Book.Requests);
        Assert.Equal("Benny gnp.exe", before[0].Alias);
        desk.World.Restart("anna");
        Assert.Equal(before, desk.Book.All);
        Assert.Equal(asked, desk.Book.Requests);
        Assert.Equal("Anna", desk.Book.OwnName);
        Assert.Equal(2, desk.Node.Host.Find<ContactList>()!.All.Count);
        Assert.Equal((1, 2, null), (desk.Book.Degree(Key(1)), desk.Book.Degree(Key(2)), desk.Book.Degree(Key(3))));
    }

    [Fact]
    public void Wrong_changes_are_refused_in_words_and_change_nothing()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        var expected = desk.Book.All;
        Assert.Equal(ContactRefusal.Already, desk.Do(book => book.AddAsync(Key(1), "Other")));
        Assert.Equal(ContactRefusal.NameTaken, desk.Do(book => book.AddAsync(Key(2), "BEN")));
        Assert.Equal(ContactRefusal.OtherKey, desk.Do(book => book.AddAsync(Key(2), alias: "ben")));
        Assert.Equal(ContactRefusal.OwnKey, desk.Do(book => book.AddAsync(desk.Node.Identity.Public)));
        foreach (var bad in (string[])["", "  ", new string('x', 65), "a\u202Eb", "a\nb\u0000", "\uD800"])
            Assert.Equal(ContactRefusal.BadName, desk.Do(book => book.RenameAsync(Key(1), bad)));
        Assert.Equal(ContactRefusal.NotesTooLong, desk.Do(book => book.NoteAsync(Key(1), new string('é', 2049))));
        Assert.Equal(ContactRefusal.NotAContact, desk.Do(book => book.NoteAsync(Key(2), "x")));
        Assert.Equal(ContactRefusal.NotAContact, desk.Do(book => book.RemoveAsync(Key(2))));
        Assert.Equal(ContactRefusal.NoRequest, desk.Do(book => book.AnswerAsync(Key(2), true)));
        Assert.Equal(expected, desk.Book.All);
        Assert.All(Enum.GetValues<ContactRefusal>(), refusal => Assert.EndsWith(refusal == ContactRefusal.NotAContact ? "list" : "", refusal.Explain(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_forged_key_comes_in_by_no_door()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        // The identity for both halves: everybody can sign for it, and agrees with it on the same secret.
        Assert.True(PublicKey.TryParse([.. Key(2).Bytes[..10], .. new byte[32], 1, .. new byte[31]], out var forged));
        Assert.False(forged.IsSound());
        var expected = desk.Book.All;
        Assert.Equal(ContactRefusal.ForgedKey, desk.Do(book => book.AddAsync(forged, "Cleo")));
        Assert.Equal(ContactRefusal.ForgedKey, desk.Do(book => book.AskAsync(forged, "Cleo")));
        Assert.Equal(ContactRefusal.ForgedKey, desk.Do(book => book.AskAsync(forged, null, Key(1), "Cleo")));
        var file = new ContactFile(Key(1), "Ben", DateTimeOffset.UnixEpoch, [new ContactCard { Key = Key(3), Name = "Dora", Since = DateTimeOffset.UnixEpoch }, new ContactCard { Key = forged, Name = "Cleo", Since = DateTimeOffset.UnixEpoch }]);
        Assert.Equal(ContactRefusal.ForgedKey, desk.Do(book => book.ImportAsync(file)).Refusal);
        Assert.Equal(expected, desk.Book.All);
        Assert.Empty(desk.Book.Requests);
    }

    [Fact]
    public void A_blocked_person_is_no_neighbour_and_comes_back_by_no_invitation()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        desk.Do(book => book.NoteAsync(Key(1), "owes me a bicycle"));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.BlockAsync(Key(1))));
        var list = desk.Node.Host.Find<ContactList>()!;
        Assert.Null(list.Find(Key(1)));
        Assert.True(desk.Book.IsBlocked(Key(1)));
        Assert.Null(desk.Book.Degree(Key(1)));
        Assert.Equal(ContactRefusal.Blocked, desk.Do(book => book.AddAsync(Key(1))));
        desk.Do(_ => list.AddAsync(Key(1), ContactOrigin.InvitedByUs, default));
        desk.World.RunFor(TimeSpan.FromSeconds(1));
        Assert.Null(list.Find(Key(1)));
        desk.World.Restart("anna");
        Assert.Null(desk.Node.Host.Find<ContactList>()!.Find(Key(1)));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.UnblockAsync(Key(1))));
        Assert.NotNull(desk.Node.Host.Find<ContactList>()!.Find(Key(1)));
        Assert.Equal(("owes me a bicycle", false), (desk.Book.Find(Key(1))!.Notes, desk.Book.Find(Key(1))!.Verified));
    }

    [Fact]
    public void A_name_finds_one_person_or_says_who_is_meant_and_aliases_find_nobody()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        desk.Do(book => book.AddAsync(Key(2), "Benedict", alias: "Mum"));
        desk.Do(book => book.AddAsync(Key(3), "Carla"));
        Assert.Equal(Key(1), desk.Book.FindByName("ben").Card?.Key);
        Assert.Equal(Key(2), desk.Book.FindByName(" bene").Card?.Key);
        Assert.Equal(Key(3), desk.Book.FindByName(Key(3).ToString()).Card?.Key);
        Assert.Equal(Key(3), desk.Book.FindByName(Key(3).ShortName).Card?.Key);
        Assert.Equal(2, desk.Book.FindByName("be").Several.Count);
        Assert.Null(desk.Book.FindByName("Mum").Card);
        Assert.Null(desk.Book.FindByName("c").Card);
        Assert.Null(desk.Book.FindByName("").Card);
    }

    [Fact]
    public void Trust_gets_less_with_every_introduction_and_ends_at_a_blocked_introducer()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "one"));
        for (var i = 2; i <= 10; i++)
        {
            var (key, by) = (Key(i), Key(i - 1));
            desk.Do(book => book.AddAsync(key, $"friend {i}", introducedBy: by));
        }
        Assert.Equal([1, 2, 3, 8, null], new[] { 1, 2, 3, 8, 9 }.Select(i => desk.Book.Degree(Key(i))));
        desk.Do(book => book.VerifyAsync(Key(3)));
        Assert.Equal([1, 2], new[] { 3, 4 }.Select(i => desk.Book.Degree(Key(i))));
        desk.Do(book => book.BlockAsync(Key(1)));
        Assert.Equal([null, 1], new[] { 2, 3 }.Select(i => desk.Book.Degree(Key(i))));
        // A circle of introductions leads nowhere.
        desk.Do(book => book.AddAsync(Key(20), "x", introducedBy: Key(21)));
        desk.Do(book => book.AddAsync(Key(21), "y", introducedBy: Key(20)));
        Assert.Null(desk.Book.Degree(Key(20)));
        Assert.Equal(0, desk.Book.Degree(desk.Node.Identity.Public));
    }

    [Fact]
    public void A_disk_that_refuses_changes_nothing()
    {
        var full = new Full();
        var desk = new Desk(full);
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        desk.Do(book => book.AskAsync(Key(5), "Eve"));
        var (cards, requests) = (desk.Book.All, desk.Book.Requests);
        full.IsFull = true;
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.AddAsync(Key(2), "Carla")));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.RenameAsync(Key(1), "Benedict")));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.RemoveAsync(Key(1))));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.AskAsync(Key(6), "Fay")));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.AnswerAsync(Key(5), false)));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.AnswerAsync(Key(5), true)));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.NameOwnAsync("Anna")));
        Assert.Equal(ContactRefusal.NotKept, desk.Do(book => book.ImportAsync(new ContactFile(Key(9), "", default, [new ContactCard { Key = Key(7), Name = "G", Since = default }]))).Refusal);
        Assert.Equal((cards, requests, ""), (desk.Book.All, desk.Book.Requests, desk.Book.OwnName), (a, b) => a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2) && a.Item3 == b.Item3);
    }

    [Fact]
    public void Strangers_who_ask_do_not_crowd_out_those_who_are_introduced()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        desk.Do(book => book.AskAsync(Key(2), null, Key(1), "Carla"));
        for (var i = 10; i < 10 + ContactBook.RequestsMax + 5; i++)
        {
            var key = Key(i);
            desk.Do(book => book.AskAsync(key, "stranger"));
        }
        Assert.Equal(ContactBook.RequestsMax, desk.Book.Requests.Count);
        Assert.Contains(desk.Book.Requests, request => request.Key == Key(2));
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.AnswerAsync(Key(2), true, "Carla")));
        Assert.Equal((Key(1), 2), (desk.Book.Find(Key(2))!.IntroducedBy, desk.Book.Degree(Key(2))));
        // Sent away, it asks in vain until the next start.
        Assert.Equal(ContactRefusal.None, desk.Do(book => book.AnswerAsync(Key(70), false)));
        desk.Do(book => book.AskAsync(Key(70), "stranger"));
        Assert.DoesNotContain(desk.Book.Requests, request => request.Key == Key(70));
        // Introduced by nobody we know: nothing happens.
        desk.Do(book => book.AskAsync(Key(200), null, Key(201), "x"));
        Assert.DoesNotContain(desk.Book.Requests, request => request.Key == Key(200));
    }

    [Fact]
    public void A_file_gives_everything_back_and_the_same_again_changes_nothing()
    {
        var (desk, other) = (new Desk(), new Desk());
        desk.Do(book => book.NameOwnAsync("Anna"));
        desk.Do(book => book.AddAsync(Key(1), "Ben", alias: "Benny", verified: true));
        desk.Do(book => book.AddAsync(Key(2), "Carla <b>", introducedBy: Key(1)));
        desk.Do(book => book.NoteAsync(Key(1), "first\nsecond"));
        desk.Do(book => book.BlockAsync(Key(3)));
        var bytes = desk.Book.Export().Write(desk.Node.Identity, Ed25519Signatures.Instance);
        var file = ContactFile.TryRead(bytes, Ed25519Signatures.Instance, out var problem);
        Assert.True(file is not null, problem);
        // Both desks have the same seed, so the same key: this is a new machine.
        Assert.Equal(desk.Node.Identity.Public, other.Node.Identity.Public);
        Assert.Equal(new ContactImport(ContactRefusal.None, 3, 0, 0), other.Do(book => book.ImportAsync(file)));
        Assert.Equal(desk.Book.All, other.Book.All);
        Assert.Equal(new ContactImport(ContactRefusal.None, 0, 0, 3), other.Do(book => book.ImportAsync(file)));
        Assert.Equal("Anna", other.Book.OwnName);

        // What was written on both sides since is joined, and no line is lost.
        desk.Do(book => book.NoteAsync(Key(1), "first\nsecond\nthird"));
        other.Do(book => book.NoteAsync(Key(1), "zero\nsecond"));
        other.Do(book => book.RenameAsync(Key(1), "Benedict"));
        var again = desk.Book.Export();
        Assert.Equal(new ContactImport(ContactRefusal.None, 0, 1, 2), other.Do(book => book.ImportAsync(again)));
        Assert.Equal(("Benedict", "zero\nsecond\nfirst\nthird"), (other.Book.Find(Key(1))!.Name, other.Book.Find(Key(1))!.Notes));
        Assert.Equal(new ContactImport(ContactRefusal.None, 0, 0, 3), other.Do(book => book.ImportAsync(again)));
    }

    [Fact]
    public void Another_ones_file_suggests_people_and_verifies_and_blocks_nobody()
    {
        var desk = new Desk();
        using var friend = KeyPair.FromEntropy([.. Enumerable.Range(0, 64).Select(i => (byte)((i * 7 + 29) & 0xFF))]);
        desk.Do(book => book.AddAsync(friend.Public, "Ben"));
        desk.Do(book => book.AddAsync(Key(2), "Carla"));
        var file = new ContactFile(friend.Public, "Benny", DateTimeOffset.UnixEpoch.AddDays(9000),
        [
            new ContactCard { Key = Key(2), Name = "Cee", Verified = true, Blocked = true, Notes = "nice", Since = DateTimeOffset.UnixEpoch },
            new ContactCard { Key = Key(4), Name = "carla", Verified = true, Since = DateTimeOffset.UnixEpoch.AddDays(3) },
            new ContactCard { Key = desk.Node.Identity.Public, Name = "me", Since = DateTimeOffset.UnixEpoch },
        ]);
        var read = ContactFile.TryRead(file.Write(friend, Ed25519Signatures.Instance), Ed25519Signatures.Instance, out _)!;
        Assert.Equal(file.Cards, read.Cards);
        Assert.Equal(new ContactImport(ContactRefusal.None, 1, 1, 0), desk.Do(book => book.ImportAsync(read)));
        Assert.Equal(("Carla", false, false, "nice"), desk.Book.Find(Key(2)) is { } two ? (two.Name, two.Verified, two.Blocked, two.Notes) : default);
        Assert.Equal(("carla 2", false, friend.Public, 2), desk.Book.Find(Key(4)) is { } four ? (four.Name, four.Verified, four.IntroducedBy, desk.Book.Degree(four.Key)!.Value) : default);
    }

    [Fact]
    public void A_file_that_was_changed_is_refused()
    {
        var desk = new Desk();
        desk.Do(book => book.AddAsync(Key(1), "Ben"));
        var text = System.Text.Encoding.UTF8.GetString(desk.Book.Export().Write(desk.Node.Identity, Ed25519Signatures.Instance));
        foreach (var (from, to) in new[] { ("\"Ben\"", "\"Bob\""), ("\"verified\": false", "\"verified\": true"), (Key(1).ToString(), Key(2).ToString()), ("\"polder_contacts\": 1", "\"polder_contacts\": 2"), ("\"contacts\"", "\"contact\"") })
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            Assert.Null(ContactFile.TryRead(System.Text.Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal)), Ed25519Signatures.Instance, out var problem));
            Assert.NotEmpty(problem);
        }
    }

    private sealed class Full : IStateStore
    {
        private readonly MemoryStateStore _inner = new();
        public bool IsFull { get; set; }
        public byte[]? Load(StatePart part) => _inner.Load(part);
        public Task<bool> SaveAsync(StatePart part, byte[] content) => IsFull ? Task.FromResult(false) : _inner.SaveAsync(part, content);
    }
}
