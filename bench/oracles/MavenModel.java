import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.model.Dependency;
import org.apache.maven.model.Model;
import org.apache.maven.model.Parent;
import org.apache.maven.model.Repository;
import org.apache.maven.model.building.DefaultModelBuilder;
import org.apache.maven.model.building.DefaultModelBuilderFactory;
import org.apache.maven.model.building.DefaultModelBuildingRequest;
import org.apache.maven.model.building.FileModelSource;
import org.apache.maven.model.building.ModelBuildingRequest;
import org.apache.maven.model.building.ModelBuildingResult;
import org.apache.maven.model.building.ModelProblemCollector;
import org.apache.maven.model.building.ModelSource;
import org.apache.maven.model.building.StringModelSource;
import org.apache.maven.model.interpolation.ModelInterpolator;
import org.apache.maven.model.io.xpp3.MavenXpp3Reader;
import org.apache.maven.model.resolution.ModelResolver;
import org.apache.maven.model.validation.DefaultModelValidator;

/**
 * Prints the dependencies of the effective model of every pom.xml below a folder, offline: parents
 * and imported BOMs are those of the tree, and an empty model stands for one that is not in it. Such
 * a one that the pom.xml itself names, as its parent or as a BOM, is printed with the scope "import".
 */
public class MavenModel {
    private static final Map<String, File> TREE = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        Path root = Path.of(arguments[0]).toRealPath();
        List<File> poms;
        try (Stream<Path> paths = Files.walk(root)) {
            poms = paths.filter(path -> path.getFileName().toString().equals("pom.xml"))
                .filter(Files::isRegularFile).sorted().map(Path::toFile).collect(Collectors.toList());
        }
        poms.forEach(MavenModel::index);
        poms.forEach(MavenModel::indexAsBuilt);
        for (File pom : poms) {
            String name = root.relativize(pom.toPath()).toString();
            try {
                for (Dependency one : dependencies(pom)) {
                    System.out.println(String.join("\t", name, String.valueOf(one.getScope()),
                        String.valueOf(one.isOptional()), one.getGroupId() + ":" + one.getArtifactId(),
                        String.valueOf(one.getVersion())));
                }
                System.out.println(name + "\tread");
            } catch (Exception error) {
                System.out.println(name + "\tfailed\t" + error.getMessage().replaceAll("\\s+", " "));
            }
        }
    }

    private static void index(File pom) {
        try (var stream = Files.newInputStream(pom.toPath())) {
            Model model = new MavenXpp3Reader().read(stream, false);
            Parent parent = model.getParent();
            String group = model.getGroupId() == null && parent != null ? parent.getGroupId() : model.getGroupId();
            String version = model.getVersion() == null && parent != null ? parent.getVersion() : model.getVersion();
            TREE.putIfAbsent(Tree.name(group, model.getArtifactId(), version), pom);
        } catch (Exception damaged) {
            // Its own turn will tell.
        }
    }

    /** Index it by the version that its expressions come to, as Maven's reactor does. */
    private static void indexAsBuilt(File pom) {
        try {
            Model model = build(pom, new Tree(), new ArrayList<>()).getEffectiveModel();
            TREE.putIfAbsent(Tree.name(model.getGroupId(), model.getArtifactId(), model.getVersion()), pom);
        } catch (Exception damaged) {
            // Its own turn will tell.
        }
    }

    private static List<Dependency> dependencies(File pom) throws Exception {
        Tree tree = new Tree();
        List<Dependency> named = new ArrayList<>();
        ModelBuildingResult result = build(pom, tree, named);
        Parent parent = result.getRawModel().getParent();
        if (parent != null) {
            Dependency one = new Dependency();
            one.setGroupId(parent.getGroupId());
            one.setArtifactId(parent.getArtifactId());
            one.setVersion(parent.getVersion());
            one.setScope("import");
            named.add(one);
        }
        named.removeIf(
            one -> !tree.outside.contains(Tree.name(one.getGroupId(), one.getArtifactId(), one.getVersion())));
        named.addAll(result.getEffectiveModel().getDependencies());
        return named;
    }

    /** Return what Maven makes of it, and put the BOMs that it names itself into a list. */
    private static ModelBuildingResult build(File pom, Tree tree, List<Dependency> named) throws Exception {
        DefaultModelBuilder builder = new DefaultModelBuilderFactory() {
            @Override
            protected DefaultModelValidator newModelValidator() {
                return new DefaultModelValidator(null) {
                    @Override
                    public void validateRawModel(Model m, ModelBuildingRequest r, ModelProblemCollector p) {}

                    @Override
                    public void validateEffectiveModel(Model m, ModelBuildingRequest r, ModelProblemCollector p) {}
                };
            }

            @Override
            protected ModelInterpolator newModelInterpolator() {
                ModelInterpolator maven = super.newModelInterpolator();
                return (model, folder, request, problems) -> {
                    Model whole = maven.interpolateModel(model, folder, request, problems);
                    if (pom.equals(whole.getPomFile())) {
                        named.addAll(imports(whole));
                    }
                    return whole;
                };
            }
        }.newInstance();
        Properties system = new Properties();
        system.setProperty("java.version", "25.0.1"); // newer than any profile asks for today
        DefaultModelBuildingRequest request = new DefaultModelBuildingRequest();
        request.setPomFile(pom).setModelResolver(tree).setSystemProperties(system).setLocationTracking(true)
            .setValidationLevel(ModelBuildingRequest.VALIDATION_LEVEL_MINIMAL).setProcessPlugins(false);
        return builder.build(request);
    }

    /** The BOMs of a model whose parents are merged into it, but for those that a parent imports. */
    private static List<Dependency> imports(Model whole) {
        if (whole.getDependencyManagement() == null) {
            return List.of();
        }
        String own = whole.getPomFile().getPath();
        return whole.getDependencyManagement().getDependencies().stream()
            .filter(one -> "import".equals(one.getScope()) && "pom".equals(one.getType()))
            .filter(one -> own.equals(one.getLocation("artifactId").getSource().getLocation()))
            .map(Dependency::clone).collect(Collectors.toList());
    }

    private static final class Tree implements ModelResolver {
        final Set<String> outside = new HashSet<>();

        static String name(String group, String artifact, String version) {
            return group + ":" + artifact + ":" + version;
        }

        @Override
        public ModelSource resolveModel(String group, String artifact, String version) {
            File pom = TREE.get(name(group, artifact, version));
            if (pom != null) {
                return new FileModelSource(pom);
            }
            outside.add(name(group, artifact, version));
            return new StringModelSource("<project><modelVersion>4.0.0</modelVersion><groupId>" + group
                + "</groupId><artifactId>" + artifact + "</artifactId><version>" + version
                + "</version><packaging>pom</packaging></project>");
        }

        @Override
        public ModelSource resolveModel(Parent parent) {
            return resolveModel(parent.getGroupId(), parent.getArtifactId(), parent.getVersion());
        }

        @Override
        public ModelSource resolveModel(Dependency dependency) {
            return resolveModel(dependency.getGroupId(), dependency.getArtifactId(), dependency.getVersion());
        }

        @Override
        public void addRepository(Repository repository) {}

        @Override
        public void addRepository(Repository repository, boolean replace) {}

        @Override
        public ModelResolver newCopy() {
            return this;
        }
    }
}
