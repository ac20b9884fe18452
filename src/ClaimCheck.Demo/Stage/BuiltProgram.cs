namespace ClaimCheck.Demo.Stage;

/// <summary>Finds programs that were built beside this one.</summary>
internal static class BuiltProgram
{
    /// <summary>
    /// The counterpart of <c>…/ClaimCheck.Demo/bin/{configuration}/net10.0/</c> at the other project; else the newest build.
    /// </summary>
    /// <param name="project">Its folder beside this one's.</param>
    /// <param name="assembly">Its assembly, where that has another name.</param>
    public static string Find(string project, string? assembly = null)
    {
        var name = $"{assembly ?? project}.dll";
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var other = own.Parent?.Parent?.Parent?.Parent is { } source ? Path.Combine(source.FullName, project) : null;
        if (other is not null && own.Parent is { } configuration)
        {
            var like = Path.Combine(other, "bin", configuration.Name, own.Name, name);
            if (File.Exists(like))
                return like;
        }
        var bin = other is null ? null : Path.Combine(other, "bin");
        if (bin is not null && Directory.Exists(bin)
            && Directory.EnumerateFiles(bin, name, SearchOption.AllDirectories).MaxBy(File.GetLastWriteTimeUtc) is { } newest)
            return newest;
        throw new DemoException($"{name} is not built: run ./dev demo, or build src/{project} first.");
    }
}
