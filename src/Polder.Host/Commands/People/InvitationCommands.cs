using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>polder invite, polder join: how people and nodes first meet.</summary>
internal static class InvitationCommands
{
    public static Command Invite(SharedOptions shared, Surroundings surroundings)
    {
        var days = new Option<double>("--days") { Description = "How long the invitation holds.", HelpName = "DAYS", DefaultValueFactory = _ => 7 };
        var noCode = new Option<bool>("--no-qr") { Description = "Only the text, without the QR code." };
        var command = new Command("invite", "Make an invitation: one text or QR code with which somebody reaches me and becomes a contact. It works once.") { days, noCode };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            if (!(parsed.GetValue(days) is > 0 and <= 30)) throw new OperationRefusedException(RefusalKind.BadInput, "--days takes a number above 0, at most 30.");
            var invitation = await node.Network.InviteAsync(TimeSpan.FromDays(parsed.GetValue(days)), stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(invitation, HostJson.Default.InvitationView);
                return CommandLine.Done;
            }
            if (terminal.Interactive && !parsed.GetValue(noCode))
                foreach (var line in QrPicture.Lines(invitation.Text)) terminal.Say(line);
            terminal.Say(invitation.Text);
            terminal.Note($"Send this to one person; they type: polder join {invitation.Text[..Math.Min(12, invitation.Text.Length)]}…");
            terminal.Note(string.Create(CultureInfo.InvariantCulture,
                $"It works once, until {invitation.Expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC, and names {Words.Count(invitation.Addresses, "address", "addresses")} and {Words.Count(invitation.Helpers, "helper")}."));
            return CommandLine.Done;
        });
        return command;
    }

    public static Command Join(SharedOptions shared, Surroundings surroundings)
    {
        var what = new Argument<string>("WHAT") { Description = "An invitation (peer:…), or an address: HOST:PORT." };
        var command = new Command("join", "Take an invitation, or ask at an address.") { what };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var text = parsed.GetValue(what)!.Trim();
            if (!text.StartsWith("peer:", StringComparison.OrdinalIgnoreCase))
            {
                var (error, endpoint) = Pages.Posts.Address(text);
                if (error is not null) throw new OperationRefusedException(RefusalKind.BadInput, $"{error} An invitation begins with peer:");
                await node.WalkToAsync(endpoint, stop).ConfigureAwait(false);
                if (json) terminal.Json(new WalkBody(endpoint.ToString()), HostJson.Default.WalkBody);
                else terminal.Say($"Asked at {endpoint}. Whoever answers appears in: polder peers");
                return CommandLine.Done;
            }
            var contact = await terminal.WaitAsync("Looking for whoever invited you",
                () => node.Network.AcceptInvitationAsync(text, stop)).ConfigureAwait(false);
            if (json) terminal.Json(contact, HostJson.Default.ContactView);
            else terminal.Say($"{terminal.Strong(contact.Name)} and you are contacts now. How you are connected: polder doctor {contact.Name}");
            return CommandLine.Done;
        });
        return command;
    }
}
