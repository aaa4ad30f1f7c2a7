using System.CommandLine;
using System.Globalization;
using Polder.Apps.Contacts;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>polder contact …: the people I know.</summary>
internal static class ContactCommands
{
    private const int FileBytesMax = 16 << 20;
    private static readonly TimeSpan CodePoll = TimeSpan.FromMilliseconds(300);

    public static Command Contact(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("contact", "The people I know: names of mine for their keys, and what I noted about them.")
        {
            Add(shared, surroundings), Code(shared, surroundings), List(shared, surroundings, "list"), Show(shared, surroundings), Card(shared, surroundings), Rename(shared, surroundings),
            Note(shared, surroundings), Verify(shared, surroundings),
            Mark(shared, surroundings, "block", "Want nothing of somebody any more; also of a stranger.", new PersonChange(Blocked: true), "is blocked"),
            Mark(shared, surroundings, "unblock", "Take a block back.", new PersonChange(Blocked: false), "is not blocked"),
            Mark(shared, surroundings, "mute", "Hear somebody without a signal.", new PersonChange(Muted: true), "is muted"),
            Mark(shared, surroundings, "unmute", "Hear somebody with a signal again.", new PersonChange(Muted: false), "is not muted"),
            Remove(shared, surroundings), Introduce(shared, surroundings), Requests(shared, surroundings), Answer(shared, surroundings, true), Answer(shared, surroundings, false),
            ContactFileCommands.Export(shared, surroundings), ContactFileCommands.Import(shared, surroundings),
        };
        return command;
    }

    /// <summary>"polder contacts" is as old as invitations, and stays.</summary>
    public static Command Contacts(SharedOptions shared, Surroundings surroundings) => List(shared, surroundings, "contacts");

    private static Argument<string> Who(string words = "A name of mine, a short name, a public key, or the beginning of one.") => new("NAME") { Description = words };

    private static Command Add(SharedOptions shared, Surroundings surroundings)
    {
        var what = new Argument<string?>("WHAT") { Description = "An invitation (peer:…) or a link to one, the text of a QR code, or a public key.", Arity = ArgumentArity.ZeroOrOne };
        var picture = new Option<string?>("--qr") { Description = "Read the QR code in this picture (PNG).", HelpName = "PICTURE" };
        var name = new Option<string?>("--name") { Description = "What I call this person. Without it: its short name.", HelpName = "NAME" };
        var verified = new Option<bool>("--verified") { Description = "I had the key from the person itself, face to face." };
        var command = new Command("add", "Add somebody: by an invitation, a QR code, or a public key.") { what, picture, name, verified };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (text, file) = (parsed.GetValue(what), parsed.GetValue(picture));
            if (text is null == file is null)
                throw new OperationRefusedException(RefusalKind.BadInput, "Give one thing: an invitation, the text of a QR code or a key; or --qr and a picture.");
            if (text is not null && ContactText.Read(text).Kind == ContactTextKind.SpokenCode) return await SpeakAsync(node, text, json, surroundings.Terminal, stop).ConfigureAwait(false);
            text ??= ContactApi.Scan(await ReadAsync(file!, FileBytesMax, stop).ConfigureAwait(false));
            var terminal = surroundings.Terminal;
            var added = await terminal.WaitAsync("Looking for that person",
                () => node.Contacts.AddAsync(new PersonToAdd(text, parsed.GetValue(name), parsed.GetValue(verified)), stop)).ConfigureAwait(false);
            if (json) terminal.Json(added, ContactJson.Default.PersonAdded);
            else Say(terminal, added);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Code(SharedOptions shared, Surroundings surroundings)
    {
        var code = new Argument<string?>("CODE") { Description = "What the other side said. Without it, a code is made for you to say.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("code", "Become contacts by a spoken code: both type the same, and both are verified.") { code };
        surroundings.Ask(command, shared, (node, parsed, json, stop) => SpeakAsync(node, parsed.GetValue(code), json, surroundings.Terminal, stop));
        return command;
    }

    /// <summary>Begins with a code and waits for the other side.</summary>
    private static async Task<int> SpeakAsync(INodeOperations node, string? code, bool json, Terminal terminal, CancellationToken stop)
    {
        var view = await node.Contacts.SpeakAsync(code, stop).ConfigureAwait(false);
        if (code is null)
        {
            if (json) terminal.Json(view, ContactJson.Default.SpokenView);
            else terminal.Say(terminal.Strong(view.Code));
            terminal.Note($"Say it to one person, who types: polder contact code {view.Code}");
        }
        try
        {
            view = await terminal.WaitAsync("Waiting for the other side", async () =>
            {
                while (view.State == "waiting")
                {
                    await Task.Delay(CodePoll, stop).ConfigureAwait(false);
                    view = await node.Contacts.SpokenAsync(stop).ConfigureAwait(false);
                }
                return view;
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whoever goes away leaves no door open.
            await node.Contacts.HushAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        if (view.State != "met") throw new OperationRefusedException(view.State == "spent" ? RefusalKind.Conflict : RefusalKind.Unavailable, view.Said);
        if (json) terminal.Json(view, ContactJson.Default.SpokenView);
        else terminal.Say(Terminal.Clean(view.Said));
        return CommandLine.Done;
    }

    private static Command List(SharedOptions shared, Surroundings surroundings, string called)
    {
        var command = new Command(called, "Everybody in my book, and who waits for my word.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var book = await node.Contacts.BookAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(book.People, ContactJson.Default.IReadOnlyListPersonView);
                return CommandLine.Done;
            }
            if (book.People.Count == 0) terminal.Say("No contacts yet. Invite somebody: polder invite. Or add somebody: polder contact add WHAT");
            else
            {
                terminal.Table(["name", "calls itself", "key", "verified", "degree", "now", "since"], book.People.Select(person => (IReadOnlyList<string>)
                [
                    person.Name, person.Alias ?? "", NodeCommands.Short(person.PublicKey), Verified(person), person.Degree?.ToString(CultureInfo.InvariantCulture) ?? "–",
                    person.Blocked ? "blocked" : (person.Connected ? "connected" : "away") + (person.Muted ? ", muted" : ""), Day(person.Since),
                ]));
            }
            if (book.Requests.Count > 0) terminal.Note($"{Words.Count(book.Requests.Count, "person waits", "people wait")} for your word: polder contact requests");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Show(SharedOptions shared, Surroundings surroundings)
    {
        var who = Who();
        var command = new Command("show", "All that I know of somebody.") { who };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var person = await node.Contacts.ShowAsync(parsed.GetValue(who)!, stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(person, ContactJson.Default.PersonView);
            else WriteAll(terminal, person);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Card(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Option<string?>("--name") { Description = "What I call myself from now on; others see it as a suggestion. Empty: nothing.", HelpName = "NAME" };
        var picture = new Option<string?>("--png") { Description = "Write the QR code into this file.", HelpName = "FILE" };
        var command = new Command("card", "My own card: the QR code that others scan, also those with the TrustChain SuperApp.") { name, picture };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var card = parsed.GetValue(name) is { } own ? await node.Contacts.NameOwnAsync(own, stop).ConfigureAwait(false) : await node.Contacts.CardAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (parsed.GetValue(picture) is { Length: > 0 } file) await ContactFileCommands.WriteAsync(file, QrPicture.Png(card.Text), stop).ConfigureAwait(false);
            if (json)
            {
                terminal.Json(card, ContactJson.Default.ContactCardView);
                return CommandLine.Done;
            }
            if (terminal.Interactive)
                foreach (var line in QrPicture.Lines(card.Text)) terminal.Say(line);
            terminal.Say(card.Text);
            terminal.Note(card.Name.Length > 0 ? $"Others see that you call yourself {Terminal.Clean(card.Name)}." : "You tell others no name. Give yourself one: polder contact card --name NAME");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Rename(SharedOptions shared, Surroundings surroundings)
    {
        var (who, name) = (Who(), new Argument<string>("NEW") { Description = "What I call this person from now on." });
        var command = new Command("rename", "Give somebody another name. Names are mine: nobody else sees them.") { who, name };
        return Change(command, shared, surroundings, parsed => (parsed.GetValue(who)!, new PersonChange(Name: parsed.GetValue(name))),
            person => $"{person.ShortName} is called {person.Name} now.");
    }

    private static Command Note(SharedOptions shared, Surroundings surroundings)
    {
        var (who, text) = (Who(), new Argument<string[]>("TEXT") { Description = "The note; without it the notes are shown.", Arity = ArgumentArity.ZeroOrMore });
        var add = new Option<bool>("--add") { Description = "Add a line instead of replacing what is there." };
        var command = new Command("note", "Keep notes about somebody. They are never sent.") { who, text, add };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (name, words) = (parsed.GetValue(who)!, string.Join(' ', parsed.GetValue(text) ?? []));
            var person = await node.Contacts.ShowAsync(name, stop).ConfigureAwait(false);
            if (parsed.GetResult(text) is { Tokens.Count: > 0 })
                person = await node.Contacts.ChangeAsync(person.PublicKey,
                    new PersonChange(Notes: parsed.GetValue(add) && person.Notes.Length > 0 ? person.Notes + "\n" + words : words), stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(person, ContactJson.Default.PersonView);
            else foreach (var line in person.Notes.Split('\n')) terminal.Say(Terminal.Clean(line));
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Verify(SharedOptions shared, Surroundings surroundings)
    {
        var who = Who();
        var number = new Argument<string[]>("NUMBER") { Description = "The number that the person reads out. Without it, yours is shown.", Arity = ArgumentArity.ZeroOrMore };
        var (sure, undo) = (new Option<bool>("--sure") { Description = "I compared it already." }, new Option<bool>("--undo") { Description = "Take it back." });
        var command = new Command("verify", "Make sure of somebody's key: both of you read the same number.") { who, number, sure, undo };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (name, said, terminal) = (parsed.GetValue(who)!, string.Join(' ', parsed.GetValue(number) ?? []), surroundings.Terminal);
            var change = parsed.GetValue(undo) ? new PersonChange(Verified: false) : said.Length > 0 ? new PersonChange(Number: said)
                : parsed.GetValue(sure) ? new PersonChange(Verified: true) : null;
            var person = change is null ? await node.Contacts.ShowAsync(name, stop).ConfigureAwait(false)
                : await node.Contacts.ChangeAsync(name, change, stop).ConfigureAwait(false);
            if (json) terminal.Json(person, ContactJson.Default.PersonView);
            else if (change is not null) terminal.Say($"{Terminal.Clean(person.Name)} is {(person.Verified ? "verified" : "not verified")} now.");
            else
            {
                terminal.Say(person.SafetyNumber);
                terminal.Note($"{Terminal.Clean(person.Name)} sees the same number with: polder contact verify. Read it to each other, then: polder contact verify {person.ShortName} NUMBER");
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Mark(SharedOptions shared, Surroundings surroundings, string called, string what, PersonChange change, string said)
    {
        var who = Who();
        return Change(new Command(called, what) { who }, shared, surroundings, parsed => (parsed.GetValue(who)!, change), person => $"{person.Name} {said}.");
    }

    private static Command Remove(SharedOptions shared, Surroundings surroundings)
    {
        var who = Who();
        var command = new Command("remove", "Forget somebody, with all notes.") { who };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var person = await node.Contacts.RemoveAsync(parsed.GetValue(who)!, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(person, ContactJson.Default.PersonView);
            else surroundings.Terminal.Say($"{Terminal.Clean(person.Name)} is forgotten.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Introduce(SharedOptions shared, Surroundings surroundings)
    {
        var (who, to) = (Who(), new Argument<string>("OTHER") { Description = "The other contact." });
        var command = new Command("introduce", "Introduce two contacts to each other: each gets a signed card of the other and decides for itself.") { who, to };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var result = await surroundings.Terminal.WaitAsync("Telling both",
                () => node.Contacts.IntroduceAsync(parsed.GetValue(who)!, parsed.GetValue(to)!, stop)).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(result, ContactJson.Default.IntroductionView);
            else surroundings.Terminal.Say(Terminal.Clean(result.Said));
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Requests(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("requests", "People who ask to be in my book, or whom a contact introduces.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var book = await node.Contacts.BookAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(book, ContactJson.Default.ContactBookView);
            else if (book.Requests.Count == 0) terminal.Say("Nobody waits for your word.");
            else
            {
                terminal.Table(["who", "calls itself", "introduced by", "as", "key", "since"], book.Requests.Select(request => (IReadOnlyList<string>)
                    [request.ShortName, request.Alias ?? "", request.IntroducedBy?.Name ?? "", request.IntroducedAs ?? "", NodeCommands.Short(request.PublicKey), Day(request.Since)]));
                terminal.Note("polder contact accept WHO --name NAME, or polder contact refuse WHO");
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Answer(SharedOptions shared, Surroundings surroundings, bool accept)
    {
        var who = new Argument<string>("WHO") { Description = "A short name or a key, as \"polder contact requests\" shows it." };
        var name = new Option<string?>("--name") { Description = "What I call this person.", HelpName = "NAME" };
        var command = accept ? new Command("accept", "Take somebody who waits into my book.") { who, name } : new Command("refuse", "Send somebody who waits away.") { who };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var asked = parsed.GetValue(who)!.Trim();
            var waiting = (await node.Contacts.BookAsync(stop).ConfigureAwait(false)).Requests
                .Where(request => request.PublicKey.Equals(asked, StringComparison.OrdinalIgnoreCase)
                    || (asked.Length >= 2 && (request.ShortName.StartsWith(asked, StringComparison.OrdinalIgnoreCase)
                        || (asked.Length > 20 && request.PublicKey.StartsWith(asked, StringComparison.OrdinalIgnoreCase))))).ToList();
            if (waiting.Count != 1)
                throw new OperationRefusedException(waiting.Count == 0 ? RefusalKind.NotFound : RefusalKind.BadInput,
                    waiting.Count == 0 ? $"Nobody called \"{Terminal.Clean(asked)}\" waits for your word. See: polder contact requests" : "Several are called that. Give more of the name.");
            var added = await node.Contacts.AnswerAsync(waiting[0].PublicKey, accept, accept ? parsed.GetValue(name) : null, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(new ContactAnswered(added), ContactJson.Default.ContactAnswered);
            else if (added is not null) Say(surroundings.Terminal, added);
            else surroundings.Terminal.Say($"{waiting[0].ShortName} was sent away.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Change(
        Command command, SharedOptions shared, Surroundings surroundings, Func<ParseResult, (string Who, PersonChange Change)> read, Func<PersonView, string> say)
    {
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (who, change) = read(parsed);
            var person = await node.Contacts.ChangeAsync(who, change, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(person, ContactJson.Default.PersonView);
            else surroundings.Terminal.Say(Terminal.Clean(say(person)));
            return CommandLine.Done;
        });
        return command;
    }

    private static void Say(Terminal terminal, PersonAdded added)
    {
        terminal.Say(Terminal.Clean(added.Said));
        if (added.Person.Alias is { } alias && alias != added.Person.Name)
            terminal.Note($"It calls itself {Terminal.Clean(alias)}. To call it so too: polder contact rename {added.Person.ShortName} NAME");
    }

    private static void WriteAll(Terminal terminal, PersonView person)
    {
        terminal.Say(terminal.Strong(Terminal.Clean(person.Name)));
        Line("calls itself", person.Alias ?? "(has not said)");
        Line("key", person.PublicKey);
        Line("short name", person.ShortName);
        Line("verified", Verified(person));
        Line("number", person.SafetyNumber);
        Line("came", $"{person.Origin}, {Day(person.Since)}{(person.IntroducedBy is { } by ? $", introduced by {by.Name}" : "")}");
        Line("now", person.Blocked ? "blocked" : (person.Connected ? "connected" : "away") + (person.Muted ? ", muted" : ""));
        Line("degree", person.Degree is { } degree ? degree.ToString(CultureInfo.InvariantCulture) : "none: no way of trust leads to it");
        if (person.Trust is { } trust)
            Line("trust", $"{Amounts.Format(trust.Score, Amounts.Bytes)}{(trust.Share is 1 or 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", at its degree {trust.Share:0.###} of it: {Amounts.Format(trust.Discounted, Amounts.Bytes)}"))}");
        foreach (var line in person.Notes.Length > 0 ? person.Notes.Split('\n') : []) Line("note", line);

        void Line(string what, string value) => terminal.Say($"  {terminal.Faint(what.PadRight(13))} {Terminal.Clean(value)}");
    }

    internal static async Task<byte[]> ReadAsync(string file, int bytesMax, CancellationToken stop)
    {
        var path = Path.GetFullPath(file);
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: var length } && length > bytesMax)
                throw new OperationRefusedException(RefusalKind.BadInput, $"{path} is too large: at most {bytesMax >> 20} MB.");
            return await File.ReadAllBytesAsync(path, stop).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be read: {problem.Message}");
        }
    }

    private static string Verified(PersonView person) => (person.Verified, person.VerifiedByThem) switch
    {
        (true, true) => "both sides", (true, false) => "by me", (false, true) => "by them", _ => "no",
    };

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
