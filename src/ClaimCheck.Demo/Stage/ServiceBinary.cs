namespace ClaimCheck.Demo.Stage;

/// <summary>Finds the service that was built beside this program.</summary>
internal static class ServiceBinary
{
    private const string Name = "ClaimCheck.Service.dll";

    /// <summary><c>…/ClaimCheck.Demo/bin/{configuration}/net10.0/</c> has its like at the service; else the newest build counts.</summary>
    public static string Find()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var project = own.Parent?.Parent?.Parent;
        var service = project?.Parent is { } source ? Path.Combine(source.FullName, "ClaimCheck.Service") : null;
        if (service is not null && own.Parent is { } configuration)
        {
            var like = Path.Combine(service, "bin", configuration.Name, own.Name, Name);
            if (File.Exists(like))
                return like;
        }
        var bin = service is null ? null : Path.Combine(service, "bin");
        if (bin is not null && Directory.Exists(bin)
            && Directory.EnumerateFiles(bin, Name, SearchOption.AllDirectories).MaxBy(File.GetLastWriteTimeUtc) is { } newest)
            return newest;
        throw new DemoException($"{Name} is not built: run ./dev demo, or build src/ClaimCheck.Service first.");
    }
}
