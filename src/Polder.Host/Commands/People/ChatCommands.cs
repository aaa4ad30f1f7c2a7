using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>polder chat: talk to a contact or a group, look for what was said, make and change groups.</summary>
internal static class ChatCommands
{
    public static Command Chat(SharedOptions shared, Surroundings surroundings)
    {
        var who = new Argument<string?>("NAME") { Description = "A contact, a group, or the id of a conversation.", Arity = ArgumentArity.ZeroOrOne };
        var text = new Argument<string[]>("TEXT") { Description = "What to say. Without it the conversation is shown; on a terminal it stays open.", Arity = ArgumentArity.ZeroOrMore };
        var files = new Option<string[]>("--file") { Description = "A file or picture to send along; may be given several times.", HelpName = "PATH", AllowMultipleArgumentsPerToken = false };
        var reply = new Option<string?>("--reply") { Description = "The message that this answers (its id, see --json).", HelpName = "ID" };
        var count = new Option<int>("--count") { Description = "So many messages.", HelpName = "N", DefaultValueFactory = _ => 50 };
        var command = new Command("chat", "Talk to a contact or in a group; messages wait with common friends while the other is away.") { who, text, files, reply, count };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var name = parsed.GetValue(who);
            if (string.IsNullOrEmpty(name)) return await ListAsync(node, terminal, json, stop).ConfigureAwait(false);
            var said = string.Join(' ', parsed.GetValue(text) ?? []);
            var uploads = (parsed.GetValue(files) ?? []).Select(static path => new ChatUpload(Path.GetFullPath(path), Path.GetFileName(path))).ToList();
            if (said.Length > 0 || uploads.Count > 0) return await SayAsync(node, terminal, name, said, parsed.GetValue(reply), uploads, json, stop).ConfigureAwait(false);
            if (parsed.GetValue(count) is < 1 or > 500) throw new OperationRefusedException(RefusalKind.BadInput, "--count takes a number from 1 to 500.");
            var live = !json && terminal is { Interactive: true, CanAsk: true } && node is ApiNode;
            var page = await node.Chat.ShowAsync(name, count: parsed.GetValue(count), seen: node is ApiNode, cancellation: stop).ConfigureAwait(false);
            if (json)
            {
                terminal.Json(page, ChatJson.Default.ChatPage);
                return CommandLine.Done;
            }
            foreach (var message in page.Messages) Show(terminal, message);
            if (page.Messages.Count == 0) terminal.Note($"Nothing was said yet. Say something: polder chat {Terminal.Clean(name)} TEXT");
            return live ? await LiveChat.RunAsync(node, terminal, name, page, stop).ConfigureAwait(false) : CommandLine.Done;
        });
        command.Subcommands.Add(List(shared, surroundings));
        command.Subcommands.Add(Search(shared, surroundings));
        command.Subcommands.Add(Save(shared, surroundings));
        command.Subcommands.Add(Accept(shared, surroundings));
        command.Subcommands.Add(Group(shared, surroundings));
        return command;
    }

    /// <summary>Parses a line. The parser takes "list" in <c>polder chat Ben list</c> for the command of that name; after a name it is a word that is said.</summary>
    public static ParseResult ReadWords(RootCommand root, Func<RootCommand, ParseResult> parse)
    {
        var parsed = parse(root);
        for (SymbolResult? at = parsed.CommandResult; at is not null; at = at.Parent)
        {
            if (at is not CommandResult { Command: { Name: "chat", Subcommands.Count: > 0 } chat, Tokens.Count: > 0 }) continue;
            chat.Subcommands.Clear();
            return parse(root);
        }
        return parsed;
    }

    private static async Task<int> SayAsync(
        INodeOperations node, Terminal terminal, string name, string said, string? reply, List<ChatUpload> uploads, bool json, CancellationToken stop)
    {
        var message = await terminal.WaitAsync(uploads.Count > 0 ? "Sealing the files" : "Sending", () => node.Chat.SendAsync(name, said, reply, uploads, stop)).ConfigureAwait(false);
        // Whoever is there answers within a moment; the command says where the message is after that.
        for (var i = 0; i < 8 && message.Where is { Stage: "here" or "waiting" }; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), stop).ConfigureAwait(false);
            var page = await node.Chat.ShowAsync(name, around: message.Id, count: 2, cancellation: stop).ConfigureAwait(false);
            message = page.Messages.FirstOrDefault(one => one.Id == message.Id) ?? message;
        }
        if (json) terminal.Json(message, ChatJson.Default.ChatMessage);
        else terminal.Say(Terminal.Clean(message.Where?.Words ?? "Kept") + (message.Where is { Stage: "here" } ? ". It goes out as soon as anybody who can carry it is there." : "."));
        return CommandLine.Done;
    }

    private static Command List(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("list", "All conversations, the newest first.");
        surroundings.Ask(command, shared, (node, _, json, stop) => ListAsync(node, surroundings.Terminal, json, stop));
        return command;
    }

    private static async Task<int> ListAsync(INodeOperations node, Terminal terminal, bool json, CancellationToken stop)
    {
        var all = await node.Chat.ListAsync(stop).ConfigureAwait(false);
        if (json) terminal.Json(all, ChatJson.Default.IReadOnlyListChatListItem);
        else if (all.Count == 0) terminal.Say("No conversations yet. Whom you know: polder contact list. Say something: polder chat NAME TEXT");
        else
        {
            terminal.Table(["name", ">new", "when", "last"], all.Select(one => (IReadOnlyList<string>)
            [
                one.Kind == "group" ? $"{one.Name} (group of {one.Members})" : one.Name, one.Unread == 0 ? "" : one.Unread >= 100 ? "100+" : one.Unread.ToString(CultureInfo.InvariantCulture),
                When(one.Activity), one.Standing == "asked" ? $"[asks you: polder chat accept {(one.Kind == "pair" ? one.Name : "\"" + one.Name + "\"")}] {one.Last}" : one.Last,
            ]));
        }
        return CommandLine.Done;
    }

    private static Command Search(SharedOptions shared, Surroundings surroundings)
    {
        var words = new Argument<string[]>("WORDS") { Description = "Beginnings of words; all must be there.", Arity = ArgumentArity.OneOrMore };
        var within = new Option<string?>("--in") { Description = "Only in this conversation.", HelpName = "NAME" };
        var command = new Command("search", "Look for what was said.") { words, within };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var found = await node.Chat.SearchAsync(string.Join(' ', parsed.GetValue(words)!), parsed.GetValue(within), cancellation: stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(found, ChatJson.Default.IReadOnlyListChatFound);
            else if (found.Count == 0) terminal.Say("Nothing was found.");
            foreach (var one in json ? [] : found) terminal.Say($"{terminal.Faint(Terminal.Clean(one.Conversation.Name))}  {Line(terminal, one.Message)}");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Save(SharedOptions shared, Surroundings surroundings)
    {
        var message = new Argument<string>("MESSAGE") { Description = "The id of the message (polder chat NAME --json)." };
        var number = new Option<int>("--number") { Description = "Which of its files, from 0.", HelpName = "N" };
        var folder = new Option<string>("--out") { Description = "Where to; default here.", HelpName = "DIR", DefaultValueFactory = _ => "." };
        var command = new Command("save", "Fetch a file of a message and write it here, never over another.") { message, number, folder };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (id, file) = (parsed.GetValue(message)!, parsed.GetValue(number));
            var state = await surroundings.Terminal.WaitAsync("Fetching the file", async say =>
            {
                while (true)
                {
                    var now = await node.Chat.FetchAsync(id, file, stop).ConfigureAwait(false);
                    if (now.Here) return now;
                    say($"Fetching {Terminal.Clean(now.Name)}: {now.State}");
                    await Task.Delay(500, stop).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
            var path = await node.Chat.SaveFileAsync(id, file, Path.GetFullPath(parsed.GetValue(folder)!), stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(new TextBody(path), ChatJson.Default.TextBody);
            else surroundings.Terminal.Say($"{path} ({state.SizeBytes} bytes, checked)");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Accept(SharedOptions shared, Surroundings surroundings)
    {
        var who = new Argument<string>("NAME") { Description = "The group, or who wrote." };
        var command = new Command("accept", "Say yes to an invitation into a group, or to a stranger who wrote.") { who };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var item = await node.Chat.AcceptAsync(parsed.GetValue(who)!, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(item, ChatJson.Default.ChatListItem);
            else surroundings.Terminal.Say(Terminal.Clean(item.Kind == "group" ? $"You are in {item.Name}." : $"You talk with {item.Name}."));
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Group(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Argument<string>("GROUP") { Description = "Its name." };
        var members = new Argument<string[]>("MEMBER") { Description = "Contacts.", Arity = ArgumentArity.ZeroOrMore };
        var create = new Command("create", "Make a group with these contacts; you are its admin.") { name, members };
        surroundings.Ask(create, shared, async (node, parsed, json, stop) =>
        {
            var item = await node.Chat.CreateGroupAsync(parsed.GetValue(name)!, parsed.GetValue(members) ?? [], stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(item, ChatJson.Default.ChatListItem);
            else surroundings.Terminal.Say($"{Terminal.Clean(item.Name)} has {Words.Count(item.Members, "member")}. Say something: polder chat \"{Terminal.Clean(item.Name)}\" TEXT");
            return CommandLine.Done;
        });
        var group = new Command("group", "Groups: make one, change who is in it, leave it.") { create };
        group.Subcommands.Add(Change("add", "Add contacts. They read what is said from now on."));
        group.Subcommands.Add(Change("remove", "Remove members. They cannot read what is said from now on: the group gets a new key."));
        group.Subcommands.Add(Change("promote", "Make members admins."));
        group.Subcommands.Add(Change("demote", "Make admins ordinary members."));
        group.Subcommands.Add(Alone("leave", "Leave a group."));
        var title = new Argument<string>("NAME") { Description = "The new name." };
        var target = new Argument<string>("GROUP") { Description = "The group." };
        var rename = new Command("rename", "Give a group another name.") { target, title };
        surroundings.Ask(rename, shared, (node, parsed, json, stop) => DoAsync(node, json, parsed.GetValue(target)!, "rename", [], parsed.GetValue(title), stop));
        group.Subcommands.Add(rename);
        return group;

        Command Change(string what, string words)
        {
            var (which, people) = (new Argument<string>("GROUP") { Description = "The group." }, new Argument<string[]>("MEMBER") { Description = "Who.", Arity = ArgumentArity.OneOrMore });
            var command = new Command(what, words) { which, people };
            surroundings.Ask(command, shared, (node, parsed, json, stop) => DoAsync(node, json, parsed.GetValue(which)!, what, parsed.GetValue(people)!, null, stop));
            return command;
        }

        Command Alone(string what, string words)
        {
            var which = new Argument<string>("GROUP") { Description = "The group." };
            var command = new Command(what, words) { which };
            surroundings.Ask(command, shared, (node, parsed, json, stop) => DoAsync(node, json, parsed.GetValue(which)!, what, [], null, stop));
            return command;
        }

        async Task<int> DoAsync(INodeOperations node, bool json, string which, string what, IReadOnlyList<string> people, string? title, CancellationToken stop)
        {
            var page = await node.Chat.ChangeGroupAsync(which, what, people, title, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(page, ChatJson.Default.ChatPage);
            else surroundings.Terminal.Say(Terminal.Clean(what == "leave" ? $"You left {page.Conversation.Name}." : $"{page.Conversation.Name}: {string.Join(", ", page.Members.Select(one => one.Name + (one.Admin ? " (admin)" : "")))}"));
            return CommandLine.Done;
        }
    }

    /// <summary>One message as lines of the terminal; nothing in it moves the cursor or turns the writing.</summary>
    internal static void Show(Terminal terminal, ChatMessage message) => terminal.Say(Line(terminal, message));

    private static string Line(Terminal terminal, ChatMessage message)
    {
        var head = terminal.Faint(When(message.Time)) + "  ";
        if (message.Kind == "note") return head + terminal.Faint(Terminal.Clean(message.Text));
        var text = message.Kind switch
        {
            "deleted" => terminal.Faint("taken back"),
            "unreadable" => terminal.Faint("cannot be read: its key never came"),
            _ => string.Join(Environment.NewLine + "                  ", message.Text.ReplaceLineEndings("\n").Split('\n').Select(Terminal.Clean)),
        };
        var line = head + terminal.Strong(Terminal.Clean(message.FromName)) + ": ";
        if (message.Reply is { } quote) line += terminal.Faint($"[to {Terminal.Clean(quote.FromName)}: {Terminal.Clean(quote.Text)}] ");
        line += text;
        foreach (var file in message.Files) line += $" [{Terminal.Clean(file.Name)}, {Words.Count(file.SizeBytes, "byte")}, {file.State}]";
        foreach (var reaction in message.Reactions) line += $" {Terminal.Clean(reaction.Sign)}{reaction.By.Count}";
        if (message.Edited) line += terminal.Faint(" (edited)");
        if (message.Where is { } where) line += terminal.Faint($"  — {Terminal.Clean(where.Words)}");
        return line;
    }

    private static string When(DateTimeOffset time) => time.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
