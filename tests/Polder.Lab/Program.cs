using Polder.Lab;

// The laboratory's program: an agent inside a host ("node"), and the whole matrix for people ("matrix", see ./x natlab).
return args switch
{
    ["node"] => await Agent.RunAsync(),
    ["matrix", .. var rest] => await MatrixCommand.RunAsync(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("Polder.Lab node | Polder.Lab matrix [--help]");
    return 2;
}
